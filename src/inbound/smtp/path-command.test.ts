import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textToWire } from '../../smtp/reply.ts';
import { parsePathCommand } from './path-command.ts';

/** Awkward paths and parameters: all of them must come out exactly as they went in. */
const paths = [
  '<>',
  '<user@example.com>',
  '<Foo.Bar+tag@EXAMPLE.com>',
  '<"quoted local"@example.com>',
  '<"a>b"@example.com>',
  '<"a\\"b"@example.com>',
  '<"@"@example.com>',
  '<under_score@under_score.example>',
  '<user@xn--bcher-kva.example>',
  textToWire('<jürgen@bücher.example>'),
  '<@relay.example,@other.example:user@example.com>',
  '<user@[192.0.2.1]>',
  '<user@[IPv6:2001:db8::1]>',
  '<postmaster>',
  '<.dot..dot.@example.com>',
  "<!#$%&'*+-/=?^_`{|}~@example.com>",
  `<${'x'.repeat(300)}@example.com>`,
];
const parameters = [
  [],
  ['BODY=8BITMIME'],
  ['SIZE=1000', 'BODY=7BIT', 'SMTPUTF8'],
  ['RET=HDRS', 'ENVID=QQ+2B314159'],
  ['NOTIFY=SUCCESS,FAILURE', 'ORCPT=rfc822;Bob+2BCarol@Example.COM'],
  ['ORCPT=utf-8;j\\x{FC}rgen@example.com'],
  ['AUTH=<>'],
  ['X-EXPERIMENT=a=b=c'],
];

test('paths and parameters come out exactly as they went in', () => {
  for (const path of paths) {
    for (const params of parameters) {
      const tail = [path, ...params].join(' ');
      assert.deepEqual(parsePathCommand('MAIL FROM', `MAIL FROM:${tail}`), { path, params });
      assert.deepEqual(parsePathCommand('RCPT TO', `rcpt to: ${tail}`), { path, params });
    }
  }
});

const broken = [
  'MAIL FROM:user@example.com',
  'MAIL FROM:<user@example.com',
  'MAIL FROM:<user@example.com>SIZE=1',
  'MAIL FROM:<us er@example.com>',
  'MAIL FROM:<<user@example.com>>',
  'MAIL FROM:<"user@example.com>',
  'MAIL FROM <user@example.com>',
  'MAIL FROM:',
  'MAIL FROM:<user\u0000@example.com>',
  'MAIL FROM:<user\r@example.com>',
  'RCPT TO:<user@example.com>',
];

for (const line of broken) {
  test(`refuses ${JSON.stringify(line)}`, () => {
    assert.equal(parsePathCommand('MAIL FROM', line), undefined);
  });
}
