import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/harness/property.ts';
import { domainOf, normaliseMailbox } from './address.ts';
import { textToWire } from './reply.ts';

const same: readonly (readonly [string, string, string])[] = [
  ['case of the domain', 'u@Example.COM', 'u@example.com'],
  ['trailing dot', 'u@example.com.', 'u@example.com'],
  ['U-label and A-label', 'u@bücher.example', 'u@xn--bcher-kva.example'],
  ['U-label in capitals', 'u@BÜCHER.example', 'u@XN--BCHER-KVA.example'],
  ['ideographic full stop', 'u@bücher。example', 'u@xn--bcher-kva.example'],
  ['source route', '@a.example,@b.example:u@c.example', 'u@c.example'],
  ['needless quotes', '"john.doe"@example.com', 'john.doe@example.com'],
  ['needless quoted pair', '"jo\\hn"@example.com', '"john"@example.com'],
  ['NFC in the local part', 'jose\u0301@example.com', 'josé@example.com'],
  ['postmaster', 'PostMaster@example.com', 'postmaster@example.com'],
  ['postmaster without a domain', 'POSTMASTER', 'postmaster'],
  ['IPv4 literal', 'u@[192.0.2.1]', 'u@[192.0.2.1]'],
  ['IPv6 literal', 'u@[IPv6:2001:DB8:0::1]', 'u@[ipv6:2001:db8::1]'],
];

const different: readonly (readonly [string, string, string])[] = [
  ['case of the local part', 'Foo@example.com', 'foo@example.com'],
  ['address extension', 'u+a@example.com', 'u@example.com'],
  ['another domain', 'u@example.com', 'u@example.org'],
  ['an at sign in quotes', '"a@b"@example.com', 'a@example.com'],
  ['a shorthand that the URL parser would read as an address', 'u@127.1', 'u@127.0.0.1'],
  ['null reverse-path', '', 'postmaster'],
];

for (const [name, a, b] of same) {
  test(`equal: ${name}`, () => assert.equal(normaliseMailbox(textToWire(a)), normaliseMailbox(textToWire(b))));
}
for (const [name, a, b] of different) {
  test(`different: ${name}`, () => assert.notEqual(normaliseMailbox(textToWire(a)), normaliseMailbox(textToWire(b))));
}

test('the null reverse-path stays empty', () => assert.equal(normaliseMailbox(''), ''));

test('the domain for the log', () => {
  assert.equal(domainOf('u@Example.COM.'), 'example.com');
  assert.equal(domainOf(textToWire('u@bücher.example')), 'xn--bcher-kva.example');
  assert.equal(domainOf('"a@b"@example.com'), 'example.com');
  assert.equal(domainOf('"a@b"'), '');
  assert.equal(domainOf('postmaster'), '');
  assert.equal(domainOf(''), '');
});

test('any bytes have a form, which is its own form and a byte string', () => {
  const bytes = fc
    .array(fc.oneof(fc.constantFrom('@', '"', '\\', '.', '[', ']', ':', 'a', 'ü', '\u00c3\u00bc'), fc.nat(255)))
    .map((all) => all.map((one) => (typeof one === 'number' ? String.fromCharCode(one) : one)).join(''));
  fc.assert(
    fc.property(bytes, (mailbox) => {
      const form = normaliseMailbox(mailbox);
      assert.doesNotMatch(form, /[^\u0000-\u00ff]/);
      assert.equal(typeof domainOf(mailbox), 'string');
    }),
    { numRuns: 2000 },
  );
});

test('an ordinary mailbox is its own form', () => {
  const atom = fc.stringMatching(/^[a-z0-9]{1,10}$/);
  fc.assert(
    fc.property(atom, atom, (local, domain) => {
      const mailbox = `${local}@${domain}.example`;
      assert.equal(normaliseMailbox(mailbox), mailbox);
      assert.equal(normaliseMailbox(normaliseMailbox(`"${local}"@${domain.toUpperCase()}.EXAMPLE.`)), mailbox);
    }),
  );
});
