import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stuff, unstuff } from './dot-stuffing.ts';

const table: readonly (readonly [string, string])[] = [
  ['', ''],
  ['plain\r\n', 'plain\r\n'],
  ['.first\r\n', '..first\r\n'],
  ['a\r\n.\r\n..\r\nb.\r\n', 'a\r\n..\r\n...\r\nb.\r\n'],
  ['.\r\n.\r\n', '..\r\n..\r\n'],
];

for (const [message, data] of table) {
  test(`dot-stuffing of ${JSON.stringify(message)}`, () => {
    assert.equal(String(stuff(Buffer.from(message))), data);
    assert.equal(String(unstuff(Buffer.from(data))), message);
  });
}
