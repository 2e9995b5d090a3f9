import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeFlags } from './node-flags.ts';

test('large pages are for several mail processes, and not on Node 24, where each of them takes 40 MB more', () => {
  const large = (...given: Parameters<typeof nodeFlags>): boolean =>
    nodeFlags(...given).includes('--use-largepages=silent');
  assert.equal(large('mail', 2, '20.19.0'), true);
  assert.equal(large('mail', 2, '22.23.5'), true);
  assert.equal(large('mail', 2, '24.21.0'), false);
  assert.equal(large('mail', 1, '20.19.0'), false);
  assert.equal(large('links', 2, '20.19.0'), false);
});
