import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundedFrom, sendersOf } from './senders.ts';

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

test('a From that is too long keeps its addresses, however the name is filled', () => {
  const kept = (from: string): string => boundedFrom(from, { maxLength: 500, from });
  assert.equal(kept('Ann <ann@a.example>'), 'Ann <ann@a.example>');
  for (const name of [
    'boss@bank.example' + ' '.repeat(600) + 'x'.repeat(600),
    `"${'boss <boss@bank.example> '.repeat(100)}"`,
    `"${'x'.repeat(20_000)}"`,
    'boss@bank.example '.repeat(2000),
    `(${'comment '.repeat(200)})`,
  ]) {
    const long = kept(`${name} <ann@a.example>`);
    assert.match(long, /… .*<ann@a\.example>$/, long.slice(0, 150));
    assert.ok(long.length < 500);
  }
  assert.match(kept(`<ann@a.example> (${'comment '.repeat(200)})`), /… <ann@a\.example>$/);
  assert.match(kept(Array.from({ length: 90 }, (_, i) => `A <p${i}@a.example>`).join(', ')), /<p0@.*<p89@a\.example>$/);
});
