import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { type Azurite, startAzurite } from '../../../test/harness/azurite.ts';
import { startProxy } from '../../../test/harness/tcp-proxy.ts';
import type { FileContent, Store } from '../interface.ts';
import { createStore } from '../store.ts';
import { bytesOf, storageFailed } from '../testing/expect.ts';
import { fileOf, storeMessage } from '../testing/store-message.ts';

const day = 86_400_000;
const { signal } = new AbortController();
const secret = Buffer.alloc(32, 7);
let azurite: Azurite;
let store: Store;

before(async () => {
  azurite = await startAzurite();
  store = storeAt();
});
after(() => azurite.stop());

function storeAt(options: { container?: string; url?: string } = {}): Store {
  return createStore({
    storage: { connectionString: options.url ?? azurite.connectionString, container: options.container ?? 'detach' },
    links: { secret: [secret], expiresAfter: 90 * day },
  });
}

test('creates its container, when asked and when it is found missing', async () => {
  await store.prepare(signal);
  await store.prepare(signal);
  assert.equal(await store.probe(signal), true);
  const other = storeAt({ container: 'another' });
  assert.equal(await other.probe(signal), false);
  const file = fileOf(randomBytes(100));
  await assert.rejects(other.getLink(`${'a'.repeat(21)}A`, signal), storageFailed(/ContainerNotFound/));
  assert.equal(await other.putFile(file, signal), 'stored');
  assert.equal(await other.probe(signal), true);
});

test('a signed address gives the bytes to whoever has it', async () => {
  const file = fileOf(Buffer.from('signed and delivered'));
  await store.putFile(file, signal);
  const url = await store.signedUrl(file.sha256, { name: 'é.txt', type: 'text/plain' });
  assert.equal(await (await fetch(url)).text(), 'signed and delivered');
  assert.equal(new URL(url).searchParams.get('rscd'), `attachment; filename=_.txt; filename*=UTF-8''%C3%A9.txt`);
  const forged = url.replace(/se=\d+/, 'se=2099');
  assert.equal((await fetch(forged)).status, 403);
});

test('a connection that breaks costs a large file one block', async (t) => {
  const bytes = randomBytes(66 * 1024 * 1024);
  const file = fileOf(bytes);
  const proxy = await startProxy({ target: Number(/127\.0\.0\.1:(\d+)/.exec(azurite.connectionString)![1]) });
  t.after(() => proxy.stop());
  proxy.breakAfterBytes = 40 * 1024 * 1024;
  const ranges: string[] = [];
  const open: FileContent['open'] = (from, to) => {
    ranges.push(`${from}-${to}`);
    return file.open(from, to);
  };
  const through = azurite.connectionString.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${proxy.port}`);
  assert.equal(await storeAt({ url: through }).putFile({ ...file, open }, signal), 'stored');
  assert.ok((await bytesOf(await store.openFile(file.sha256, signal))).equals(bytes));
  assert.equal(new Set(ranges).size, 3);
  assert.ok(ranges.length > 3, 'something broke');
  for (const range of ranges) assert.ok(ranges.filter((other) => other === range).length <= 2, ranges.join(' '));
});

test('aborting ends an upload and a download', async () => {
  const bytes = randomBytes(8_000_000);
  const file = fileOf(bytes);
  const uploading = new AbortController();
  const slow = new Readable({ read: () => undefined });
  slow.push(bytes.subarray(0, 1000));
  slow.once('data', () => setImmediate(() => uploading.abort(new Error('client went away')))).pause();
  await assert.rejects(
    store.putFile({ ...file, open: () => slow }, uploading.signal),
    storageFailed(/client went away/),
  );
  await new Promise<void>((resolve) => (slow.closed ? resolve() : slow.once('close', resolve)));
  await store.putFile(file, signal);
  const downloading = new AbortController();
  const stream = await store.openFile(file.sha256, downloading.signal);
  assert.ok(stream);
  downloading.abort();
  await assert.rejects(bytesOf(stream), /given up/);
  await assert.rejects(store.getLink('A'.repeat(22), AbortSignal.abort()), storageFailed(/given up/));
});

test('storage that is down fails clearly, and serves again with what it had', async () => {
  const file = fileOf(randomBytes(2_000_000));
  await store.putFile(file, signal);
  await azurite.down();
  await assert.rejects(store.putFile(file, signal), storageFailed(/ECONNREFUSED/));
  await assert.rejects(storeMessage(store, { files: [{ bytes: Buffer.from('x') }] }), storageFailed(/ECONNREFUSED/));
  await assert.rejects(store.getLink('A'.repeat(22), signal), storageFailed(/ECONNREFUSED/));
  await assert.rejects(store.openFile(file.sha256, signal), storageFailed(/ECONNREFUSED/));
  assert.equal(await store.probe(signal), false);
  await azurite.up();
  assert.equal(await store.putFile(file, signal), 'present');
});

test('a wrong key is a failure that shows no key', async () => {
  const url = azurite.connectionString.replace(/AccountKey=[^;]*/, `AccountKey=${secret.toString('base64')}`);
  const stranger = storeAt({ url });
  await assert.rejects(stranger.prepare(signal), storageFailed(/403/));
  await assert.rejects(stranger.putFile(fileOf(Buffer.from('x')), signal), storageFailed(/403/));
});
