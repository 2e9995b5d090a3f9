import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import type { Blobs } from './blobs.ts';
import type { Store } from './interface.ts';
import { createStore } from './store.ts';
import { linkGraceMs, sweep, type Swept } from './sweep.ts';
import { type Backend, backends } from './testing/backends.ts';
import { fileOf, storeMessage } from './testing/store-message.ts';

const day = 86_400_000;
const { signal } = new AbortController();
const request = { what: 'test', signal };

for (const [kind, start] of backends)
  suite(`sweeping ${kind}`, () => {
    let backend: Backend;
    let blobs: Blobs;
    let store: Store;
    let now = Date.now();

    before(async () => {
      backend = await start();
      blobs = backend.open(() => now);
      store = createStore({
        storage: backend.storage,
        links: { secret: [Buffer.alloc(32, 3)], expiresAfter: 10 * day },
        now: () => now,
      });
      await store.prepare(signal);
    });
    after(() => backend.stop());

    const newFile = (): Buffer => randomBytes(1000);
    const send = async (bytes: Buffer, subject: string) =>
      storeMessage(store, { files: [{ bytes }], messageIdentity: subject });
    const run = (at: number): Promise<Swept> => sweep({ blobs, signal, now: at });
    const isThere = async (bytes: Buffer): Promise<boolean> => {
      const stream = await store.openFile(fileOf(bytes).sha256, signal);
      stream?.destroy();
      return stream !== undefined;
    };

    test('what is needed stays, what is over goes: file, manifest and link, each in its time', async () => {
      const old = newFile();
      const kept = newFile();
      const { tokens, manifestId } = await send(old, 'old');
      const revoked = await send(kept, 'revoked');
      const name = `links/${revoked.tokens[0]!}`;
      const content = Buffer.from(JSON.stringify({ ...revoked.links[0]!, revoked: new Date(now).toISOString() }));
      const { etag } = (await blobs.stat(name, request))!;
      await blobs.replace(name, { ...request, content, etag, metadata: {} });
      const foreign = `files/${'0'.repeat(64)}`;
      await blobs.create(foreign, { ...request, content: Buffer.from('x'), metadata: {} });
      const nothing = { files: 0, bytes: 0, messages: 0, links: 0 };
      assert.deepEqual(await run(now + 10 * day), nothing);
      now += 9 * day;
      const again = await send(kept, 'another message, later');
      assert.deepEqual(await run(now + 10 * day), { files: 1, bytes: 1000, messages: 2, links: 0 });
      assert.equal(await isThere(old), false);
      assert.equal(await isThere(kept), true);
      assert.equal(await store.getMessage(manifestId, signal), undefined);
      assert.equal((await store.getLink(tokens[0]!, signal))?.sha256, fileOf(old).sha256);
      assert.deepEqual(await run(now + 10 * day), nothing);
      const last = await run(now + 20 * day + linkGraceMs);
      assert.deepEqual(last, { files: 1, bytes: 1000, messages: 1, links: 2 });
      assert.equal(await store.getLink(tokens[0]!, signal), undefined);
      assert.equal(await store.getLink(again.tokens[0]!, signal), undefined);
      assert.ok((await store.getLink(revoked.tokens[0]!, signal))?.revoked);
      assert.ok(await blobs.stat(foreign, request));
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
  });
