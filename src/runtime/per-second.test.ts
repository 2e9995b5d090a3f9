import assert from 'node:assert/strict';
import { test } from 'node:test';
import { perSecond } from './per-second.ts';

test('the text is made once for each second, also when the clock is set back', () => {
  const made: number[] = [];
  const text = perSecond((ms) => {
    made.push(ms);
    return String(ms);
  });
  assert.deepEqual([5000, 5001, 5999, 6000, 5500, -1].map(text), ['5000', '5000', '5000', '6000', '5000', '-1000']);
  assert.deepEqual(made, [5000, 6000, 5000, -1000]);
});
