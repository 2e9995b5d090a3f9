import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LongLines } from './long-lines.ts';

function finds(text: string, cut: number): boolean {
  const watch = new LongLines(10);
  for (let at = 0; at < text.length; at += cut) watch.push(Buffer.from(text.slice(at, at + cut), 'latin1'));
  return watch.found;
}

const line = (length: number): string => `${'x'.repeat(length)}\r\n`;

const cases: readonly (readonly [what: string, text: string, expected: boolean])[] = [
  ['nothing', '', false],
  ['empty lines', '\r\n'.repeat(40), false],
  ['lines of just the length', line(10).repeat(5), false],
  ['one byte more, first', line(11) + line(3), true],
  ['one byte more, last', line(3) + line(10) + line(11), true],
  ['one byte more, between', line(3) + line(11) + line(3), true],
  ['a short line that does not end', line(10) + 'x'.repeat(10), false],
  ['a long line that does not end', line(10) + 'x'.repeat(13), true],
];

for (const [what, text, expected] of cases)
  test(`${what}: ${expected ? 'found' : 'not found'}, wherever it is cut`, () => {
    for (const cut of [1, 2, 3, 5, 11, 12, 13, 1000]) assert.equal(finds(text, cut), expected, `by ${cut}`);
  });
