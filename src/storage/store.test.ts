import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { ContainerClient } from '@azure/storage-blob';
import { type Azurite, startAzurite } from '../../test/harness/azurite.ts';
import { startProxy } from '../../test/harness/tcp-proxy.ts';
import { Failure } from '../smtp/failures.ts';
import type { FileContent, LinkIdentity, Store } from './interface.ts';
import { createStore } from './store.ts';

const day = 86_400_000;
const { signal } = new AbortController();
const secret = Buffer.alloc(32, 7);
let azurite: Azurite;
let container: ContainerClient;
let store: Store;

before(async () => {
  azurite = await startAzurite();
  container = new ContainerClient(azurite.connectionString, 'detach');
  store = storeAt();
});
after(() => azurite.stop());

function storeAt(options: { now?: () => number; days?: number; container?: string; url?: string } = {}): Store {
  return createStore({
    storage: {
      connectionString: options.url ?? azurite.connectionString,
      accountUrl: undefined,
      container: options.container ?? 'detach',
    },
    links: { secret, expiresAfter: (options.days ?? 90) * day },
    ...(options.now ? { now: options.now } : {}),
  });
}

function fileOf(bytes: Buffer): FileContent & { opened: number } {
  return {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    size: bytes.length,
    opened: 0,
    open(from, to) {
      this.opened++;
      return Readable.from(slices(bytes.subarray(from, to)));
    },
  };
}

function* slices(bytes: Buffer): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

const identityOf = (sha256: string, change: Partial<LinkIdentity> = {}): LinkIdentity => ({
  messageIdentity: '<1@example.com>',
  reversePath: 'a@example.com',
  partNumber: '2',
  name: 'plan é.pdf',
  type: 'application/pdf',
  sha256,
  ...change,
});

async function bytesOf(stream: Readable | undefined): Promise<Buffer> {
  assert.ok(stream);
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const untilOf = async (name: string): Promise<string | undefined> =>
  (await container.getBlobClient(name).getProperties()).metadata?.['until'];

const storageFailed = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure);
  assert.equal(error.kind, 'storageFailed');
  assert.match(error.message, pattern);
  assert.doesNotMatch(error.message, /AccountKey|sig=[^…]/);
  return true;
};

test('creates its container, when asked and when it is found missing', async () => {
  await store.prepare(signal);
  await store.prepare(signal);
  assert.equal(await store.probe(signal), true);
  const other = storeAt({ container: 'another' });
  assert.equal(await other.probe(signal), false);
  const file = fileOf(randomBytes(100));
  await assert.rejects(other.getLink('a'.repeat(22), signal), storageFailed(/ContainerNotFound/));
  assert.equal(await other.putFile(file, signal), 'stored');
  assert.equal(await other.probe(signal), true);
});

for (const size of [0, 1, 300_000, 1_500_000, 70 * 1024 * 1024 + 1]) {
  test(`a file of ${size} bytes comes back whole and in ranges, and is stored once`, async () => {
    const bytes = randomBytes(size);
    const file = fileOf(bytes);
    assert.equal(await store.putFile(file, signal), 'stored');
    assert.equal(await store.putFile(file, signal), 'present');
    assert.ok((await bytesOf(await store.openFile(file.sha256, signal))).equals(bytes));
    if (size > 10) {
      const range = { offset: size - 7, count: 5 };
      assert.ok((await bytesOf(await store.openFile(file.sha256, signal, range))).equals(bytes.subarray(-7, -2)));
    }
    const blob = await container.getBlobClient(`files/${file.sha256}`).getProperties();
    assert.equal(blob.contentType, 'application/octet-stream');
    assert.ok(Date.parse(blob.metadata?.['until'] ?? '') > Date.now() + 91 * day - 60_000);
  });
}

test('a large file that is there already is not read again', async () => {
  const file = fileOf(randomBytes(1024 * 1024));
  await store.putFile(file, signal);
  await store.putFile(file, signal);
  assert.equal(file.opened, 1);
});

test('the same file many times at once is read once; through two processes it is stored once', async () => {
  const file = fileOf(randomBytes(2_000_000));
  const results = await Promise.all(Array.from({ length: 10 }, () => store.putFile(file, signal)));
  assert.deepEqual(results.toSorted(), [...Array.from({ length: 9 }, () => 'present'), 'stored']);
  assert.equal(file.opened, 1);
  for (const size of [3_000_000, 70 * 1024 * 1024]) {
    const shared = fileOf(randomBytes(size));
    const both = await Promise.all([storeAt().putFile(shared, signal), storeAt().putFile(shared, signal)]);
    assert.deepEqual(both.toSorted(), ['present', 'stored']);
    assert.equal((await container.getBlobClient(`files/${shared.sha256}`).getProperties()).contentLength, size);
  }
});

test('who waits for the upload of another one that fails does it alone', async () => {
  const bytes = randomBytes(500_000);
  const good = fileOf(bytes);
  const bad = { ...good, open: () => Readable.from([bytes.subarray(0, 1000)]) };
  const [failed, stored] = await Promise.allSettled([store.putFile(bad, signal), store.putFile(good, signal)]);
  assert.equal(failed.status, 'rejected');
  assert.deepEqual(stored, { status: 'fulfilled', value: 'stored' });
});

for (const size of [200_000, 65 * 1024 * 1024]) {
  test(`a reader that ends early, late or breaks commits nothing (${size} bytes)`, async () => {
    const bytes = randomBytes(size);
    const file = fileOf(bytes);
    /** Its last bytes come as `end` has them. */
    const broken = (end: (last: Buffer) => Iterable<Buffer>): FileContent => ({
      ...file,
      open: (from, to) => Readable.from(to < size ? slices(bytes.subarray(from, to)) : end(bytes.subarray(from, to))),
    });
    const short = broken((last) => slices(last.subarray(0, -1)));
    await assert.rejects(store.putFile(short, signal), storageFailed(/of the promised/));
    const long = broken((last) => [...slices(last), Buffer.from('x')]);
    await assert.rejects(store.putFile(long, signal), storageFailed(/more than the promised/));
    const breaking = broken(function* (last) {
      yield* slices(last.subarray(0, -1));
      throw new Error('disk is gone');
    });
    await assert.rejects(store.putFile(breaking, signal), storageFailed(/disk is gone/));
    assert.equal(await store.openFile(file.sha256, signal), undefined);
    assert.equal(await store.putFile(file, signal), 'stored');
  });
}

test('another size under the same hash is said loudly and changes nothing', async () => {
  const file = fileOf(randomBytes(5000));
  await container.getBlockBlobClient(`files/${file.sha256}`).upload('wrong', 5);
  await assert.rejects(store.putFile(file, signal), storageFailed(/5 bytes are stored where 5000 belong/));
  assert.equal((await bytesOf(await store.openFile(file.sha256, signal))).toString(), 'wrong');
});

test('until is raised where it is too low, left where it is enough, and kept when it says never', async () => {
  let now = Date.now();
  const dated = storeAt({ now: () => now });
  const file = fileOf(randomBytes(10));
  const name = `files/${file.sha256}`;
  await dated.putFile(file, signal);
  const first = await untilOf(name);
  now += 6 * day;
  await dated.putFile(file, signal);
  assert.equal(await untilOf(name), first);
  now += 2 * day;
  await dated.putFile(file, signal);
  const second = await untilOf(name);
  assert.equal(second, new Date(now + 98 * day).toISOString());
  await storeAt({ days: 0 }).putFile(file, signal);
  assert.equal(await untilOf(name), 'never');
  await dated.putFile(file, signal);
  assert.equal(await untilOf(name), 'never');
});

test('twenty who raise until at the same time all succeed', async () => {
  const file = fileOf(randomBytes(10));
  await storeAt({ days: 1 }).putFile(file, signal);
  const stores = Array.from({ length: 20 }, (_, i) => storeAt({ days: 20 + i * 10 }));
  await Promise.all(stores.map((each) => each.putFile(file, signal)));
  assert.ok(Date.parse((await untilOf(`files/${file.sha256}`)) ?? '') >= Date.now() + 210 * day);
});

test('a link is made once; a retry finds it as it was', async () => {
  let now = Date.now();
  const dated = storeAt({ now: () => now });
  const sha256 = '0'.repeat(64);
  const first = await dated.putLink(identityOf(sha256), 12, signal);
  assert.match(first.token, /^[\w-]{22}$/);
  now += 5 * day;
  assert.deepEqual(await dated.putLink(identityOf(sha256), 12, signal), first);
  assert.deepEqual(await dated.getLink(first.token, signal), first.link);
  assert.equal(first.link.expires, new Date(now + 85 * day).toISOString());
  const many = Array.from({ length: 10 }, () => dated.putLink(identityOf(sha256, { partNumber: '9' }), 12, signal));
  assert.equal(new Set((await Promise.all(many)).map((made) => made.token)).size, 1);
});

test('a link in the second half of its life is renewed, a revoked one stays revoked', async () => {
  let now = Date.now();
  const dated = storeAt({ now: () => now });
  const identity = identityOf('1'.repeat(64));
  const { token, link } = await dated.putLink(identity, 12, signal);
  for (const later of [46 * day, 200 * day]) {
    now += later;
    const again = await dated.putLink(identity, 12, signal);
    assert.equal(again.token, token);
    assert.deepEqual(again.link, { ...link, expires: new Date(now + 90 * day).toISOString() });
    assert.deepEqual(await dated.getLink(token, signal), again.link);
  }
  const revoked = { ...link, revoked: new Date(now).toISOString() };
  const json = JSON.stringify(revoked);
  await container.getBlockBlobClient(`links/${token}`).upload(json, json.length);
  now += 300 * day;
  assert.deepEqual((await dated.putLink(identity, 12, signal)).link, revoked);
});

test('manifests: one id for one content, and the bytes come back', async () => {
  const manifest = randomBytes(40_000);
  const id = await store.putMessage(manifest, signal);
  assert.equal(await store.putMessage(manifest, signal), id);
  assert.match(id, /^[\w-]{22}$/);
  assert.deepEqual(await store.getMessage(id, signal), manifest);
  assert.notEqual(await store.putMessage(Buffer.from('other'), signal), id);
});

test('what is not there is undefined, whatever the name', async () => {
  assert.equal(await store.getLink('A'.repeat(22), signal), undefined);
  assert.equal(await store.getLink('../files', signal), undefined);
  assert.equal(await store.getMessage('A'.repeat(22), signal), undefined);
  assert.equal(await store.openFile('f'.repeat(64), signal), undefined);
  assert.equal(await store.openFile('../links', signal), undefined);
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

for (const size of [400_000, 66 * 1024 * 1024]) {
  test(`a source may use the same memory for every block (${size} bytes)`, async () => {
    const bytes = randomBytes(size);
    const file = fileOf(bytes);
    const memory = Buffer.alloc(65_536);
    async function* lent(from: number, to: number): AsyncGenerator<Buffer, void, undefined> {
      for (const slice of slices(bytes.subarray(from, to))) {
        await Promise.resolve();
        yield memory.subarray(0, slice.copy(memory));
        memory.fill('x');
      }
    }
    assert.equal(await store.putFile({ ...file, open: lent }, signal), 'stored');
    assert.ok((await bytesOf(await store.openFile(file.sha256, signal))).equals(bytes));
  });
}

test('a connection that breaks costs a large file one block', async (t) => {
  const bytes = randomBytes(66 * 1024 * 1024);
  const file = fileOf(bytes);
  const proxy = await startProxy({ target: Number(/127\.0\.0\.1:(\d+)/.exec(azurite.connectionString)![1]) });
  t.after(() => proxy.stop());
  proxy.breakAfterBytes = 20 * 1024 * 1024;
  const ranges: string[] = [];
  const open: FileContent['open'] = (from, to) => {
    ranges.push(`${from}-${to}`);
    return file.open(from, to);
  };
  const through = azurite.connectionString.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${proxy.port}`);
  assert.equal(await storeAt({ url: through }).putFile({ ...file, open }, signal), 'stored');
  assert.ok((await bytesOf(await store.openFile(file.sha256, signal))).equals(bytes));
  assert.equal(new Set(ranges).size, 5);
  assert.ok(ranges.length > 5, 'something broke');
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
  await assert.rejects(store.putLink(identityOf(file.sha256), 1, signal), storageFailed(/ECONNREFUSED/));
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
