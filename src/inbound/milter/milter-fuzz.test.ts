import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzMilter } from '../../../test/fuzz/milter.ts';

test('a slice of the fuzzing', async () => {
  const { messages, broken } = await fuzzMilter({ iterations: 500, seed: 1 });
  assert.ok(messages > 500 && broken > 50, JSON.stringify({ messages, broken }));
});
