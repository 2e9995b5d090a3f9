import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, before, suite, test } from 'node:test';
import type { Blobs } from './blobs.ts';
import type { FileContent, Store } from './interface.ts';
import { createStore } from './store.ts';
import { type Backend, backends } from './testing/backends.ts';
import { bytesOf, storageFailed } from './testing/expect.ts';
import { fileOf, slices } from './testing/store-message.ts';

const day = 86_400_000;
const { signal } = new AbortController();
const secret = Buffer.alloc(32, 7);

for (const [kind, start] of backends)
  suite(`a store in ${kind}`, () => {
    let backend: Backend;
    let blobs: Blobs;
    let store: Store;

    before(async () => {
      backend = await start();
      blobs = backend.open();
      store = storeAt();
      await store.prepare(signal);
    });
    after(() => backend.stop());

    function storeAt(options: { now?: () => number; days?: number } = {}): Store {
      return createStore({
        storage: backend.storage,
        links: { secret: [secret], expiresAfter: (options.days ?? 90) * day },
        ...(options.now ? { now: options.now } : {}),
      });
    }

    const untilOf = async (name: string): Promise<string | undefined> =>
      (await blobs.stat(name, { what: 'test', signal }))?.metadata['until'];

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
        assert.deepEqual(await store.statFile(file.sha256, signal), { size, crc32: file.crc32 });
        assert.ok(Date.parse((await untilOf(`files/${file.sha256}`)) ?? '') > Date.now() + 91 * day - 60_000);
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
        assert.equal((await store.statFile(shared.sha256, signal))?.size, size);
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
          open: (from, to) =>
            Readable.from(to < size ? slices(bytes.subarray(from, to)) : end(bytes.subarray(from, to))),
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
      await blobs.create(`files/${file.sha256}`, { content: Buffer.from('wrong'), metadata: {}, what: 'test', signal });
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

    test('what is not there is undefined, whatever the name', async () => {
      assert.equal(await store.getLink('A'.repeat(22), signal), undefined);
      assert.equal(await store.getLink('../files', signal), undefined);
      assert.equal(await store.getMessage('A'.repeat(22), signal), undefined);
      assert.equal(await store.getPage('A'.repeat(22), signal), undefined);
      assert.equal(await store.statFile('f'.repeat(64), signal), undefined);
      assert.equal(await store.openFile('f'.repeat(64), signal), undefined);
      assert.equal(await store.openFile('../links', signal), undefined);
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
  });
