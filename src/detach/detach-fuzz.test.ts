import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzDetach } from '../../test/fuzz/detach.ts';

test('damaged messages come back, wherever they are cut', async () => {
  const { detached } = await fuzzDetach({ iterations: 3000, seed: 20261122 });
  assert.ok(detached > 150, `only ${detached} messages had something to detach`);
});
