import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { storeMessage } from '../testing/store-message.ts';
import { lastSweep } from './last-sweep.ts';
import { sweep } from './sweep/sweep.ts';

const { signal } = new AbortController();

test('what the last sweep found; nothing before there was one, and nothing of a dry run', async () => {
  const store = new MemoryStore();
  const { blobs } = store;
  await storeMessage(store, { files: [{ bytes: Buffer.alloc(3000, 'a') }, { bytes: Buffer.alloc(200, 'b') }] });
  const now = Date.parse('2026-01-02T00:00:00.000Z');
  const context = { blobs, secrets: [Buffer.alloc(32, 7)], now: () => now, signal, progress: () => undefined };
  assert.equal(await lastSweep(blobs, signal), undefined);
  await sweep(context, { dryRun: true });
  assert.equal(await lastSweep(blobs, signal), undefined);
  await sweep(context);
  const links = { living: 2, expired: 0, revoked: 0 };
  assert.deepEqual(await lastSweep(blobs, signal), { files: 2, bytes: 3200, links, at: now });
  assert.equal(await lastSweep(new MemoryBlobs(), signal), undefined);
});
