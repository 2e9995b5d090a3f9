import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import type { Blobs } from './blobs.ts';
import type { Link, Store } from './interface.ts';
import { createStore } from './store.ts';
import { type Backend, backends } from './testing/backends.ts';
import { storageFailed } from './testing/expect.ts';
import { fileOf, storeMessage } from './testing/store-message.ts';

const day = 86_400_000;
const { signal } = new AbortController();
const request = { what: 'test', signal };
const secret = Buffer.alloc(32, 7);

for (const [kind, start] of backends)
  suite(`records in ${kind}`, () => {
    let backend: Backend;
    let blobs: Blobs;
    let store: Store;
    let now = Date.now();

    before(async () => {
      backend = await start();
      blobs = backend.open();
      store = createStore({
        storage: backend.storage,
        links: { secret: [secret], expiresAfter: 90 * day },
        now: () => now,
      });
      await store.prepare(signal);
    });
    after(() => backend.stop());

    const namesBelow = async (prefix: string): Promise<string[]> => {
      const names: string[] = [];
      for await (const page of blobs.list(prefix, request)) names.push(...page.map(({ name }) => name));
      return names.sort();
    };
    const overwrite = async (token: string, link: Link): Promise<void> => {
      const { etag } = (await blobs.stat(`links/${token}`, request))!;
      const content = Buffer.from(JSON.stringify(link));
      assert.ok(await blobs.replace(`links/${token}`, { ...request, etag, content, metadata: {} }));
    };

    test('a link is made once; a retry finds it as it was', async () => {
      const message = { files: [{ bytes: randomBytes(100) }] };
      const first = await storeMessage(store, message);
      const [token = '', ...others] = first.tokens;
      assert.deepEqual(others, []);
      assert.equal(first.page, undefined);
      assert.match(token, /^[\w-]{22}$/);
      now += 5 * day;
      assert.deepEqual(await storeMessage(store, message), first);
      const link = await store.getLink(token, signal);
      assert.deepEqual(link, first.links[0]);
      assert.equal(link?.expires, new Date(now + 85 * day).toISOString());
      assert.equal(link.crc32, fileOf(message.files[0]!.bytes).crc32);
      assert.equal(link.from, 'Anna <a@example.com>');
      const many = Array.from({ length: 10 }, () =>
        storeMessage(store, { files: [{ bytes: Buffer.from('many') }], messageIdentity: '<many@example.com>' }),
      );
      assert.equal(new Set((await Promise.all(many)).map(({ tokens }) => tokens[0])).size, 1);
    });

    test('a link in the second half of its life is renewed, a revoked one stays revoked', async () => {
      const message = { files: [{ bytes: randomBytes(100) }], messageIdentity: '<renewed@example.com>' };
      const { tokens, links } = await storeMessage(store, message);
      const [token, link] = [tokens[0]!, links[0]!];
      for (const later of [46 * day, 200 * day]) {
        now += later;
        const again = await storeMessage(store, message);
        const renewed = { ...link, expires: new Date(now + 90 * day).toISOString() };
        assert.deepEqual(again.links, [renewed]);
        assert.deepEqual(await store.getLink(token, signal), renewed);
      }
      const revoked = { ...link, revoked: new Date(now).toISOString() };
      await overwrite(token, revoked);
      now += 300 * day;
      assert.deepEqual((await storeMessage(store, message)).links, [revoked]);
    });

    test('a link of the first version is found, and indexed when its message comes again', async () => {
      const message = { files: [{ bytes: randomBytes(100) }], messageIdentity: '<old@example.com>' };
      const { tokens, links } = await storeMessage(store, message);
      const { sha256, size, name, type, created, expires, reversePath, messageIdentity } = links[0]!;
      const old: Link = { v: 1, sha256, size, name, type, created, expires, reversePath, messageIdentity };
      await overwrite(tokens[0]!, old);
      assert.deepEqual(await store.getLink(tokens[0]!, signal), old);
      assert.deepEqual((await storeMessage(store, message)).links, [{ ...links[0], beforeIndex: true }]);
    });

    test('several files: a page with all of them, in order; each has its own link', async () => {
      const files = ['one', 'two', 'three'].map((name) => ({ bytes: Buffer.from(name), name }));
      const message = { files, messageIdentity: '<several@example.com>', subject: '=?utf-8?q?Pl=C3=A4ne?=' };
      const { tokens, page, links } = await storeMessage(store, message);
      assert.equal(new Set([...tokens, page]).size, 4);
      assert.deepEqual(await store.getPage(page!, signal), {
        v: 1,
        tokens,
        created: links[0]!.created,
        reversePath: 'a@example.com',
        messageIdentity: '<several@example.com>',
        from: 'Anna <a@example.com>',
        subject: 'Pläne',
      });
      assert.ok(links.every((link) => link.page === page));
      assert.deepEqual(await storeMessage(store, message), { ...(await storeMessage(store, message)), page, tokens });
      assert.equal(await store.getLink(page!, signal), undefined);
      assert.equal(await store.getPage(tokens[0]!, signal), undefined);
    });

    test('the index names each link by file, message and senders, once however often it is sent', async () => {
      const bytes = randomBytes(50);
      const { sha256 } = fileOf(bytes);
      const message = { files: [{ bytes }], messageIdentity: '<indexed@example.com>' };
      const before = await namesBelow('index/');
      const { tokens } = await storeMessage(store, { ...message, from: '"x@y.example" <Other@Example.COM>' });
      await storeMessage(store, { ...message, from: '"x@y.example" <Other@Example.COM>' });
      const made = (await namesBelow('index/')).filter((name) => !before.includes(name));
      const kinds = made.map((name) => name.split('/')[1]);
      assert.deepEqual(kinds, ['file', 'message', 'sender', 'sender', 'transaction']);
      assert.deepEqual(await namesBelow(`index/file/${sha256}/`), [`index/file/${sha256}/${tokens[0]!}`]);
      for (const name of made) assert.doesNotMatch(name, /example/);
      assert.deepEqual((await store.getLink(tokens[0]!, signal))?.senders, ['a@example.com', 'other@example.com']);
    });

    test('recipients are kept as keyed hashes, one record for a transaction', async () => {
      const message = { files: [{ bytes: randomBytes(50) }], messageIdentity: '<recipients@example.com>' };
      const before = await namesBelow('index/transaction/');
      await storeMessage(store, { ...message, recipients: ['u@b.example', 'v@b.example'] });
      await storeMessage(store, { ...message, recipients: ['V@b.example', 'u@b.example'] });
      await storeMessage(store, { ...message, recipients: ['w@b.example'] });
      const made = (await namesBelow('index/transaction/')).filter((name) => !before.includes(name));
      assert.equal(made.length, 2);
      for (const name of made) {
        const text = (await blobs.read(name, request))!.bytes.toString();
        assert.doesNotMatch(text, /b\.example/);
        assert.match(text, /"bytes":50/);
      }
    });

    test('manifests: one id for one content of one message, and the bytes come back', async () => {
      const manifest = randomBytes(40_000);
      const message = { files: [{ bytes: randomBytes(10) }], manifest };
      const { manifestId } = await storeMessage(store, message);
      assert.equal((await storeMessage(store, message)).manifestId, manifestId);
      assert.match(manifestId, /^[\w-]{22}$/);
      assert.deepEqual(await store.getMessage(manifestId, signal), manifest);
      const other = await storeMessage(store, { ...message, manifest: Buffer.from('other') });
      assert.notEqual(other.manifestId, manifestId);
      assert.equal(other.manifestId.slice(0, 11), manifestId.slice(0, 11));
    });

    test('a message that was erased while it was stored is refused', async () => {
      const file = { partNumber: '2', name: 'a', type: 'a/b', ...fileOf(randomBytes(10)) };
      const message = { messageIdentity: '<gone@example.com>', reversePath: '', recipients: [], files: [file] };
      const records = await store.openMessage({ ...message, from: undefined, subject: undefined }, signal);
      await store.putFile(file, signal);
      await records.putLink(0, signal);
      const entry = `index/file/${file.sha256}/${records.tokens[0]!}`;
      await blobs.delete(entry, { ...request, etag: (await blobs.stat(entry, request))!.etag });
      await assert.rejects(records.finish(Buffer.from('manifest'), signal), storageFailed(/erased/));
    });
  });
