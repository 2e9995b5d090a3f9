import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { atEndOfTurn } from './end-of-turn.ts';

test('what is due at the end of a turn comes after its promises, in order; what that adds comes a turn later', async () => {
  const said: string[] = [];
  atEndOfTurn(() => {
    said.push('first');
    atEndOfTurn(() => said.push('added'));
  });
  atEndOfTurn(() => said.push('second'));
  await Promise.resolve();
  process.nextTick(() => said.push('tick'));
  await nextTurn();
  assert.deepEqual(said, ['tick', 'first', 'second']);
  await nextTurn();
  assert.deepEqual(said, ['tick', 'first', 'second', 'added']);
});
