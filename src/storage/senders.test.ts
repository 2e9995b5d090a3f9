import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendersOf } from './senders.ts';

/** What stands in From, and the addresses in it. */
const fields: readonly (readonly [from: string, ...addresses: string[]])[] = [
  ['a@x.example', 'a@x.example'],
  ['Ann <Ann@X.example>', 'ann@x.example'],
  ['"Ann, of <b@y.example>" < a@x.example >', 'a@x.example'],
  ['"a \\" <c@z.example>" <a@x.example>', 'a@x.example'],
  ['a@x.example (Ann <b@y.example>), c@z.example', 'a@x.example', 'c@z.example'],
  ['(a (b@y.example) c) <a@x.example>', 'a@x.example'],
  ['Ann <a@x.example>, Bob <b@y.example>', 'a@x.example', 'b@y.example'],
  ['"Ann <a@x.example>', 'a@x.example'],
  ['Ann (sales <a@x.example>', 'a@x.example'],
  ['Ann <>, <nobody>'],
  ['undisclosed'],
  ['"<a@x.example>\\', 'a@x.example'],
];

test('the addresses of From, without names and comments', () => {
  for (const [from, ...addresses] of fields) assert.deepEqual(sendersOf('', from), addresses, from);
  assert.deepEqual(sendersOf('', 'Ann <"a b"@x.example>'), ['a b@x.example']);
});

test('ten of them, of the first 16 KiB', () => {
  const many = Array.from({ length: 50 }, (_, i) => `<a${i}@x.example>`).join(', ');
  assert.equal(sendersOf('r@x.example', many).length, 10);
  assert.deepEqual(sendersOf('', `${' '.repeat(20_000)}<a@x.example>`), []);
});
