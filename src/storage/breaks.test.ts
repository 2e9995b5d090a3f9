import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { after, afterEach, before, test } from 'node:test';
import { ContainerClient } from '@azure/storage-blob';
import { type Azurite, startAzurite } from '../../test/harness/azurite.ts';
import { type HttpProxy, startHttpProxy } from '../../test/harness/http-proxy.ts';
import { startProxy } from '../../test/harness/tcp-proxy.ts';
import { Failure } from '../smtp/failures.ts';
import { AzureBlobs } from './azure/azure-blobs.ts';
import type { Store } from './interface.ts';
import { createStore } from './store.ts';
import { storageFailed } from './testing/expect.ts';
import { fileOf, storeMessage } from './testing/store-message.ts';

const { signal } = new AbortController();
let azurite: Azurite;
let proxy: HttpProxy;
let store: Store;
let through: Store;

before(async () => {
  azurite = await startAzurite({ inMemory: true });
  proxy = await startHttpProxy(azurite.port);
  store = storeAt(azurite.port);
  through = storeAt(proxy.port);
  await store.prepare(signal);
});
after(async () => {
  await proxy.stop();
  await azurite.stop();
});
afterEach(() => {
  proxy.trouble = () => undefined;
  proxy.requests.length = 0;
});

const storeAt = (port: number, maxSockets?: number): Store =>
  createStore({
    storage: {
      connectionString: azurite.connectionString.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`),
      accountUrl: undefined,
      container: 'detach',
    },
    links: { secret: [Buffer.alloc(32, 7)], expiresAfter: 86_400_000 },
    ...(maxSockets === undefined ? {} : { maxSockets }),
  });

async function put(bytes: Buffer): Promise<{ readonly sha256: string; readonly token: string }> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { tokens } = await storeMessage(store, { files: [{ bytes, name: 'n' }] });
  return { sha256, token: tokens[0]! };
}

async function read(stream: Readable | undefined): Promise<Buffer> {
  assert.ok(stream);
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('a download goes on where a connection broke, whole and in ranges', async () => {
  const bytes = randomBytes(5_000_000);
  const { sha256 } = await put(bytes);
  let cuts = 0;
  proxy.trouble = () => (cuts++ < 3 ? { cutAfter: 700_001 } : undefined);
  assert.ok((await read(await through.openFile(sha256, signal))).equals(bytes));
  assert.deepEqual(
    proxy.requests.map(({ headers }) => headers['x-ms-range'] ?? headers.range),
    [undefined, 'bytes=700001-4999999', 'bytes=1400002-4999999', 'bytes=2100003-4999999'],
  );
  assert.ok(proxy.requests.slice(1).every(({ headers }) => headers['if-match'] !== undefined));
  cuts = 0;
  const range = await read(await through.openFile(sha256, signal, { offset: 100, count: 2_000_000 }));
  assert.ok(range.equals(bytes.subarray(100, 2_000_100)));
  assert.equal(proxy.requests.at(-1)?.headers['x-ms-range'], 'bytes=1400102-2000099');
});

test('a bad network that breaks every connection costs no download', async (t) => {
  const bytes = randomBytes(8_000_000);
  const { sha256 } = await put(bytes);
  const bad = await startProxy({ target: azurite.port });
  t.after(() => bad.stop());
  bad.breakAfterBytesDown = 1_000_000;
  assert.ok((await read(await storeAt(bad.port).openFile(sha256, signal))).equals(bytes));
  assert.ok(bad.connections >= 8, `${bad.connections} connections`);
});

test('a connection that breaks for good is an error, after a bounded number of tries', async () => {
  const { sha256 } = await put(randomBytes(1_000_000));
  proxy.trouble = () => ({ cutAfter: 0 });
  const stream = await through.openFile(sha256, signal);
  await assert.rejects(read(stream), (error: unknown) => error instanceof Failure && error.kind === 'storageFailed');
  assert.ok(proxy.requests.length <= 5, `${proxy.requests.length} requests`);
});

test('bytes of another version are never glued to those that were read', async () => {
  const bytes = randomBytes(3_000_000);
  const { sha256 } = await put(bytes);
  const container = new ContainerClient(azurite.connectionString, 'detach');
  proxy.trouble = () => ({ cutAfter: 1_000_000 });
  const stream = await through.openFile(sha256, signal);
  await container.getBlockBlobClient(`files/${sha256}`).upload(randomBytes(3_000_000), 3_000_000);
  await assert.rejects(read(stream), /412/);
  const gone = await put(randomBytes(3_000_001));
  const another = await through.openFile(gone.sha256, signal);
  await container.deleteBlob(`files/${gone.sha256}`);
  await assert.rejects(read(another), /gone while it was read|412/);
});

test('a record whose answer breaks off is read again', async () => {
  const { token } = await put(Buffer.from('record'));
  let cuts = 0;
  proxy.trouble = () => (cuts++ < 2 ? { cutAfter: 100 } : undefined);
  assert.equal((await through.getLink(token, signal))?.name, 'n');
  assert.equal(proxy.requests.length, 3);
  const { manifestId: id } = await storeMessage(store, {
    files: [{ bytes: Buffer.from('x') }],
    manifest: randomBytes(100_000),
  });
  cuts = 0;
  assert.equal((await through.getMessage(id, signal))?.length, 100_000);
  proxy.trouble = () => ({ cutAfter: 10 });
  await assert.rejects(through.getLink(token, signal), Failure);
});

test('a page of a listing whose answer breaks off is asked for again', async () => {
  const { token } = await put(Buffer.from('listed'));
  const blobs = new AzureBlobs({
    storage: {
      connectionString: azurite.connectionString.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${proxy.port}`),
      container: 'detach',
    },
    now: Date.now,
    cdnUrl: undefined,
  });
  const names = async (): Promise<string[]> => {
    const all: string[] = [];
    for await (const page of blobs.names('links/', { what: 'listing', signal })) all.push(...page);
    return all;
  };
  let cuts = 0;
  proxy.trouble = () => (cuts++ < 2 ? { cutAfter: 100 } : undefined);
  assert.ok((await names()).includes(`links/${token}`));
  assert.equal(proxy.requests.length, 3);
  proxy.trouble = () => ({ cutAfter: 100 });
  await assert.rejects(names(), storageFailed(/listing/));
});

test('429 is tried again after the time that Retry-After names, within bounds', async () => {
  const bytes = randomBytes(200_000);
  const { sha256, token } = await put(bytes);
  for (const headers of [{}, { 'retry-after': '1' }, { 'retry-after': 'Fri, 13 Nov 2026 00:00:00 GMT' }]) {
    let throttled = 0;
    proxy.trouble = () => (throttled++ < 2 ? { status: 429, headers } : undefined);
    const started = performance.now();
    assert.equal((await through.getLink(token, signal))?.sha256, sha256);
    assert.equal(proxy.requests.length, 3);
    const waited = performance.now() - started;
    if (headers['retry-after'] === '1') assert.ok(waited >= 1990, `${waited} ms`);
    proxy.requests.length = 0;
  }
  let once = 0;
  proxy.trouble = () => (once++ < 1 ? { status: 429 } : undefined);
  assert.ok((await read(await through.openFile(sha256, signal))).equals(bytes));
  once = 0;
  const other = randomBytes(300_000);
  const file = fileOf(other);
  assert.equal(await through.putFile(file, signal), 'stored');
  assert.ok((await read(await store.openFile(file.sha256, signal))).equals(other));
});

test('429 without end is a failure, and aborting ends the wait', async () => {
  proxy.trouble = () => ({ status: 429, headers: { 'retry-after': '3600' } });
  const leaving = new AbortController();
  const asked = through.getLink('A'.repeat(22), leaving.signal);
  setTimeout(() => leaving.abort(), 100);
  await assert.rejects(asked, /given up/);
  proxy.trouble = () => ({ status: 429 });
  await assert.rejects(through.getLink('A'.repeat(22), signal), /429/);
});

test('a store with sockets of its own opens no more than it may, and uses them again', async (t) => {
  const files = await Promise.all(Array.from({ length: 12 }, () => put(randomBytes(100_000))));
  const counted = await startProxy({ target: azurite.port });
  t.after(() => counted.stop());
  counted.delayMs = 5;
  const own = storeAt(counted.port, 3);
  for (let round = 0; round < 3; round++) {
    await Promise.all(files.map(async ({ sha256 }) => read(await own.openFile(sha256, signal))));
  }
  assert.ok(counted.connections <= 3, `${counted.connections} connections`);
});

/** Whether it carries bytes of a file. */
const carriesFile = ({ method, url = '' }: IncomingMessage): boolean =>
  method === 'PUT' && url.includes('/files/') && !url.includes('comp=blocklist');

async function assertUnharmed(bytes: Buffer): Promise<void> {
  const file = fileOf(bytes);
  proxy.trouble = () => undefined;
  assert.equal(await store.statFile(file.sha256, signal), undefined, 'nothing is there');
  assert.equal(await through.putFile(file, signal), 'stored');
  assert.ok((await read(await store.openFile(file.sha256, signal))).equals(bytes));
}

test('a byte that changes on its way to storage: refused, and nothing is stored', async () => {
  const mebibyte = 1024 * 1024;
  const places: readonly { readonly size: number; readonly request: number; readonly byte: number }[] = [
    { size: 10, request: 0, byte: 9 },
    { size: 3 * mebibyte, request: 0, byte: 0 },
    { size: 40 * mebibyte, request: 0, byte: 32 * mebibyte - 1 },
    { size: 40 * mebibyte, request: 1, byte: 0 },
  ];
  for (const { size, request, byte } of places) {
    const bytes = randomBytes(size);
    let carriers = 0;
    proxy.trouble = (each) => (carriesFile(each) && carriers++ === request ? { corruptUploadAt: byte } : undefined);
    await assert.rejects(through.putFile(fileOf(bytes), signal), storageFailed(/400 .*MD5/));
    assert.equal(carriers, request + 1);
    await assertUnharmed(bytes);
  }
});

test('what storage says to have stored is compared: with another sum it is an error, and taken away', async () => {
  const bytes = randomBytes(2_000_000);
  const answerHeaders = { 'content-md5': randomBytes(16).toString('base64') };
  proxy.trouble = (each) => (carriesFile(each) ? { answerHeaders } : undefined);
  await assert.rejects(through.putFile(fileOf(bytes), signal), storageFailed(/another MD5 sum/));
  await assertUnharmed(bytes);
});

test('a proxy that takes the sum away as well is refused', async () => {
  const bytes = randomBytes(2_000_000);
  proxy.trouble = (each) => (carriesFile(each) ? { corruptUploadAt: 1000, without: ['content-md5'] } : undefined);
  // The signature of an account key covers the sum, a token does not.
  await assert.rejects(through.putFile(fileOf(bytes), signal), storageFailed(/403/));
  await assertUnharmed(bytes);
});

test('a link that changes on its way is refused as well', async () => {
  proxy.trouble = ({ method, url }) =>
    method === 'PUT' && url?.includes('/links/') ? { corruptUploadAt: 20 } : undefined;
  const files = [{ bytes: randomBytes(500) }];
  await assert.rejects(storeMessage(through, { files }), storageFailed(/400 .*MD5/));
});
