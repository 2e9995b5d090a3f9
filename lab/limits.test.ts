import assert from 'node:assert/strict';
import { test } from 'node:test';
import { letter } from './letter.ts';
import { assertFits } from './limits.ts';

test('a file fits exactly when the message that it makes is below the limit, within 8 KiB', async () => {
  const size = 1_000_000;
  const file = { name: 'a.bin', content: Buffer.alloc(size) };
  const { message } = await letter({ from: 'alice@example.com', to: ['bob@example.org'], file });
  assertFits(size, { bytes: message.length + 8192, key: 'k' });
  assert.throws(() => assertFits(size, { bytes: message.length - 1, key: 'message_size_limit' }), /message_size_limit/);
});
