import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { ContainerClient } from '@azure/storage-blob';
import { type Azurite, startAzurite } from '../../test/harness/azurite.ts';
import type { FileContent, Store } from './interface.ts';
import { createStore, openBlobs } from './store.ts';
import { linkGraceMs, sweep } from './sweep.ts';

const day = 86_400_000;
const { signal } = new AbortController();
const links = { secret: Buffer.alloc(32, 3), expiresAfter: 10 * day };
let azurite: Azurite;
let storage: { connectionString: string; accountUrl: undefined; container: string };
let container: ContainerClient;
let store: Store;
let now = Date.now();

before(async () => {
  azurite = await startAzurite({ inMemory: true });
  storage = { connectionString: azurite.connectionString, accountUrl: undefined, container: 'detach' };
  container = new ContainerClient(azurite.connectionString, 'detach');
  store = createStore({ storage, links, now: () => now });
  await store.prepare(signal);
});
after(() => azurite.stop());

function newFile(): FileContent {
  const bytes = randomBytes(1000);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { sha256, size: bytes.length, open: () => Readable.from([bytes]) };
}

async function send(file: FileContent, subject: string): Promise<string> {
  await store.putFile(file, signal);
  const identity = { messageIdentity: subject, reversePath: '', partNumber: '2', name: 'a', type: 'a/b' };
  return (await store.putLink({ ...identity, sha256: file.sha256 }, file.size, signal)).token;
}

const run = (at: number) => sweep({ blobs: openBlobs({ storage }), signal, now: at });
const isThere = async (file: FileContent): Promise<boolean> => {
  const stream = await store.openFile(file.sha256, signal);
  stream?.destroy();
  return stream !== undefined;
};

test('what is needed stays, what is over goes: file, manifest and link, each in its time', async () => {
  const old = newFile();
  const kept = newFile();
  const token = await send(old, 'old');
  const revoked = await send(kept, 'revoked');
  const message = await store.putMessage(Buffer.from('manifest'), signal);
  const link = await store.getLink(revoked, signal);
  const json = JSON.stringify({ ...link, revoked: new Date(now).toISOString() });
  await container.getBlockBlobClient(`links/${revoked}`).upload(json, json.length);
  const foreign = container.getBlockBlobClient('files/without-until');
  await foreign.upload('x', 1);
  const nothing = { files: 0, bytes: 0, messages: 0, links: 0 };
  assert.deepEqual(await run(now + 10 * day), nothing);
  now += 9 * day;
  const again = await send(kept, 'another message, later');
  assert.deepEqual(await run(now + 10 * day), { files: 1, bytes: 1000, messages: 1, links: 0 });
  assert.equal(await isThere(old), false);
  assert.equal(await isThere(kept), true);
  assert.equal(await store.getMessage(message, signal), undefined);
  assert.equal((await store.getLink(token, signal))?.sha256, old.sha256);
  assert.deepEqual(await run(now + 10 * day), nothing);
  const last = await run(now + 20 * day + linkGraceMs);
  assert.deepEqual(last, { files: 1, bytes: 1000, messages: 0, links: 2 });
  assert.equal(await store.getLink(token, signal), undefined);
  assert.equal(await store.getLink(again, signal), undefined);
  assert.ok((await store.getLink(revoked, signal))?.revoked);
  assert.equal(await foreign.exists(), true);
});

test('sweeping while the same files are sent again loses none of them', async () => {
  const files = Array.from({ length: 40 }, newFile);
  await Promise.all(files.map((file, i) => send(file, `first ${i}`)));
  now += 30 * day;
  const results = await Promise.all([
    run(now),
    Promise.all(files.map((file, i) => send(file, `second ${i}`))),
    run(now),
  ]);
  for (const file of files) assert.equal(await isThere(file), true);
  assert.ok(results[0].files + results[2].files <= files.length);
  assert.deepEqual((await run(now + 9 * day)).files, 0);
});
