import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzHeader } from '../../test/fuzz/header.ts';

test('a slice of the fuzzing', async () => {
  const { types, names, encoded } = await fuzzHeader({ iterations: 3000, seed: 20261128 });
  assert.ok(types > 600 && names > 400 && encoded > 2000, JSON.stringify({ types, names, encoded }));
});
