/** An index entry is touched by each transaction of its message, and many of these may come at once. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DirectoryBlobs } from './directory-blobs.ts';

const request = { what: 'test', signal: new AbortController().signal };
const atOnce = 40;
const entry = (i: number): string => `index/message/AAAAAAAAAAAAAAAAAAAAAA/${i}`;

async function openBlobs(t: TestContext): Promise<DirectoryBlobs> {
  const directory = mkdtempSync(join(tmpdir(), 'detach-touch-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const blobs = new DirectoryBlobs({ directory, reserve: 0, now: Date.now });
  await blobs.prepare(request.signal);
  return blobs;
}

const touchAll = (blobs: DirectoryBlobs, nameOf: (i: number) => string): Promise<unknown> =>
  Promise.all(Array.from({ length: atOnce }, (_, i) => blobs.touch(nameOf(i), request)));

test('one entry touched by many at once costs at most a few times what as many entries do', async (t) => {
  const blobs = await openBlobs(t);
  const cpuOf = async (nameOf: (i: number) => string): Promise<number> => {
    const before = process.cpuUsage();
    for (let i = 0; i < 3; i++) await touchAll(blobs, nameOf);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  await cpuOf(entry);
  const ratio = (await cpuOf(() => entry(0))) / (await cpuOf(entry));
  t.diagnostic(`ratio ${ratio.toFixed(1)}`);
  assert.ok(ratio < 5, `${ratio}`);
});

test('whoever judged an entry before it was touched by many at once cannot delete it', async (t) => {
  const blobs = await openBlobs(t);
  await blobs.touch(entry(0), request);
  for (let i = 0; i < 10; i++) {
    const { etag } = (await blobs.stat(entry(0), request))!;
    const touched = touchAll(blobs, () => entry(0));
    const deleted = await blobs.delete(entry(0), { ...request, etag });
    await touched;
    const standing = await blobs.stat(entry(0), request);
    assert.ok(standing, deleted ? 'it was deleted before it was touched' : 'it was touched before');
    assert.notEqual(standing.etag, etag);
    assert.equal(await blobs.delete(entry(0), { ...request, etag }), false);
  }
});
