import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NewFile } from './interface.ts';
import { BlobStore } from './store.ts';
import { MemoryBlobs } from './testing/memory-blobs.ts';
import { fileOf } from './testing/store-message.ts';

const { signal } = new AbortController();

/** Calls that are waiting for storage are answered together: the answers that `work` had to wait for, one after another. */
async function roundTrips(blobs: MemoryBlobs, work: () => Promise<unknown>): Promise<number> {
  let waiting: (() => void)[] = [];
  blobs.turn = () => new Promise((answer) => waiting.push(answer));
  const state = { over: false };
  const done = work().finally(() => (state.over = true));
  let count = 0;
  for (;;) {
    for (let i = 0; i < 5; i++) await nextTurn();
    if (state.over) break;
    const answered = waiting;
    assert.ok(answered.length > 0, 'nothing is asked of storage');
    waiting = [];
    count += 1;
    for (const answer of answered) answer();
  }
  await done;
  return count;
}

/** Stores a message as `detach/commit-files.ts` does: the files at the same time. */
async function deliver(blobs: MemoryBlobs, sizes: readonly number[]): Promise<void> {
  const secret = Buffer.alloc(32, 7);
  const store = new BlobStore({ blobs, secret, expiresAfter: 90 * 86_400_000, now: Date.now });
  const contents = sizes.map((size, i) => fileOf(Buffer.alloc(size, i)));
  const files = contents.map(({ sha256, size, crc32 }, i): NewFile => ({
    partNumber: `${i + 2}`,
    name: `${i}.pdf`,
    type: 'application/pdf',
    sha256,
    size,
    crc32,
  }));
  const people = {
    reversePath: 'a@example.com',
    recipients: ['b@example.net', 'c@example.net'],
    from: 'a@example.com',
  };
  const message = { messageIdentity: '<1@example.com>', subject: undefined, ...people, files };
  const records = await store.openMessage(message, signal);
  await Promise.all(
    contents.map(async (content, i) => {
      await store.putFile(content, signal);
      await records.putLink(i, signal);
    }),
  );
  await records.finish(Buffer.from('manifest'), signal);
}

/** File, link and manifest: what a link that works and a message that can be restored need in any case. */
const unavoidable = 3;
const small = 100_000;
/** Of this size it is asked for before it is sent. */
const large = 2 * 1024 * 1024;

for (const [what, sizes, allowed] of [
  ['one file', [small], unavoidable + 1],
  ['one large file', [large], unavoidable + 1 + 1],
  ['three files', [small, small, small], unavoidable + 2],
] as const) {
  test(`index, recipients and page of a message with ${what} cost few round trips one after another`, async (t) => {
    const blobs = new MemoryBlobs();
    const first = await roundTrips(blobs, () => deliver(blobs, sizes));
    const again = await roundTrips(blobs, () => deliver(blobs, sizes));
    t.diagnostic(`${first} round trips, ${again} when it is sent again`);
    assert.ok(first <= allowed, `${first} round trips`);
    // Each of the three is found to be there, and then looked at.
    assert.ok(again <= allowed + unavoidable, `${again} round trips for a retry`);
  });
}
