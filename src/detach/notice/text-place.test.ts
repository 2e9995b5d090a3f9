import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxLines } from './newest-text.ts';
import { findTextPlace } from './text-place.ts';

const placeIn = (text: string): number =>
  findTextPlace(text, { flowed: false, position: 'newest', read: (line) => line }).at;

test('in a text of very many lines the newest text ends among the first ones, or at the end of all', () => {
  const many = 'line\r\n'.repeat(2 * maxLines);
  assert.equal(placeIn(many), many.length);
  assert.equal(placeIn(`hello\r\n${'> line\r\n'.repeat(2 * maxLines)}`), 'hello\r\n'.length);
  const late = `${many}On 3 May 2025, Ann wrote:\r\n> old\r\n`;
  assert.equal(placeIn(late), late.length);
  const early = `hello\r\n\r\n-----Original Message-----\r\n${many}`;
  assert.equal(placeIn(early), 'hello\r\n\r\n'.length);
  const exact = 'line\r\n'.repeat(maxLines);
  assert.equal(placeIn(exact), exact.length);
});
