import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { Failure } from '../../../smtp/failures.ts';
import type { Blobs } from '../../blobs.ts';
import type { Store } from '../../interface.ts';
import { createStore } from '../../store.ts';
import { type Backend, backends } from '../../testing/backends.ts';
import { makeOld } from '../../testing/make-old.ts';
import { fileOf, storeMessage } from '../../testing/store-message.ts';
import { changeLink } from '../change-link.ts';
import type { AdminContext } from '../context.ts';
import { eraseMessage } from '../erase/erase-message.ts';
import { findLinks } from '../find.ts';
import { newSwept, type Swept } from './run.ts';
import { linkGraceMs } from './sweep-links.ts';
import { sweep } from './sweep.ts';

const day = 86_400_000;
const { signal } = new AbortController();
const request = { what: 'test', signal };

for (const [kind, start] of backends)
  suite(`sweeping ${kind}`, () => {
    let backend: Backend;
    let blobs: Blobs;
    let store: Store;
    let now = Date.now();

    const secret = Buffer.alloc(32, 3);
    const admin = (at = now): AdminContext => ({
      blobs,
      secrets: [secret],
      now: () => at,
      signal,
      progress: () => undefined,
    });

    beforeEach(async () => {
      now = Date.now();
      backend = await start();
      blobs = backend.open(() => now);
      const links = { secret: [secret], expiresAfter: 10 * day };
      store = createStore({ storage: backend.storage, links, now: () => now });
      await store.prepare(signal);
    });
    afterEach(() => backend.stop());

    const newFile = (): Buffer => randomBytes(1000);
    const send = async (bytes: Buffer, subject: string) =>
      storeMessage(store, { files: [{ bytes }], messageIdentity: subject });
    const run = async (at: number): Promise<Swept> => (await sweep(admin(at))).swept;
    const names = async (prefix = ''): Promise<string[]> => {
      const found: string[] = [];
      for await (const page of blobs.list(prefix, request)) found.push(...page.map(({ name }) => name));
      return found.sort();
    };
    const isThere = async (bytes: Buffer): Promise<boolean> => {
      const stream = await store.openFile(fileOf(bytes).sha256, signal);
      stream?.destroy();
      return stream !== undefined;
    };
    const nothing = newSwept();

    test('what is needed stays, what is over goes: file, manifest and link, each in its time', async () => {
      const old = newFile();
      const kept = newFile();
      const { tokens, manifestId } = await send(old, 'old');
      const revoked = await send(kept, 'revoked');
      await changeLink(admin(), revoked.tokens[0]!, { verb: 'revoke' });
      const foreign = `files/${'0'.repeat(64)}`;
      await blobs.create(foreign, { ...request, content: Buffer.from('x'), metadata: {} });
      assert.deepEqual(await run(now + 10 * day), nothing);
      now += 9 * day;
      const again = await send(kept, 'another message, later');
      const dry = await sweep(admin(now + 10 * day), { dryRun: true });
      const over = { ...nothing, files: 1, bytes: 1000, messages: 2, transactions: 2 };
      assert.deepEqual(dry.swept, over);
      assert.deepEqual(await run(now + 10 * day), over);
      assert.equal(await isThere(old), false);
      assert.equal(await isThere(kept), true);
      assert.equal(await store.getMessage(manifestId, signal), undefined);
      assert.equal((await store.getLink(tokens[0]!, signal))?.sha256, fileOf(old).sha256);
      assert.deepEqual(await run(now + 10 * day), nothing);
      const last = await run(now + 20 * day + linkGraceMs);
      assert.deepEqual(last, { ...nothing, files: 1, bytes: 1000, messages: 1, transactions: 1, links: 2 });
      assert.equal(await store.getLink(tokens[0]!, signal), undefined);
      assert.equal(await store.getLink(again.tokens[0]!, signal), undefined);
      assert.ok((await store.getLink(revoked.tokens[0]!, signal))?.revoked);
      assert.ok(await blobs.stat(foreign, request));
      const left = await names('index/');
      assert.deepEqual(
        left.map((name) => name.split('/')[1]),
        ['complete', 'file', 'message', 'sender'],
      );
      assert.deepEqual(await names('pages/'), []);
    });

    test('a hold keeps link, file, manifest, page and recipients past their end, until it is released', async () => {
      const files = [{ bytes: newFile() }, { bytes: newFile(), name: 'second' }];
      const { tokens } = await storeMessage(store, { files, messageIdentity: '<held@example.com>' });
      const before = await names();
      assert.equal((await changeLink(admin(), tokens[0]!, { verb: 'hold' })).outcome, 'changed');
      const later = now + 100 * day;
      const swept = await run(later);
      assert.equal(swept.files, 1, 'the file of the link that is not held');
      const gone = [`files/${fileOf(files[1]!.bytes).sha256}`];
      const lost = before.filter((name) => !gone.includes(name) && !name.endsWith(tokens[1]!));
      const after = new Set(await names());
      assert.deepEqual(
        lost.filter((name) => !after.has(name)),
        [],
      );
      assert.equal(await eraseMessage(admin(later), [tokens[0]!]), 'held');
      assert.equal((await changeLink(admin(later), tokens[0]!, { verb: 'release' })).outcome, 'changed');
      // The hold gave everything a day from now on.
      await run(later + 20 * day);
      assert.deepEqual(await names(), ['index/complete/sweep']);
    });

    test('extend: link, file, manifest, page and recipients live as long', async () => {
      const files = [{ bytes: newFile() }, { bytes: newFile(), name: 'second' }];
      const { tokens, page, manifestId } = await storeMessage(store, { files });
      for (const token of tokens) {
        const { outcome, link } = await changeLink(admin(), token, { verb: 'extend', to: { by: 100 * day } });
        assert.equal(outcome, 'changed');
        assert.equal(link?.expires, new Date(now + 110 * day).toISOString());
      }
      assert.deepEqual(await run(now + 109 * day), nothing);
      for (const { bytes } of files) assert.equal(await isThere(bytes), true);
      assert.ok(await store.getPage(page!, signal));
      assert.ok(await store.getMessage(manifestId, signal));
      const never = await changeLink(admin(), tokens[0]!, { verb: 'extend', to: { until: now + 50 * day } });
      assert.equal(never.outcome, 'unchanged');
      await run(now + 160 * day);
      assert.deepEqual(await names(), ['index/complete/sweep']);
    });

    test('links and manifests from before the index are brought into it, and erased without a trace', async () => {
      const bytes = newFile();
      const header = 'Message-ID: <old@example.com>\r\nTo: b@example.net';
      const manifest = Buffer.from(JSON.stringify({ v: 1, original: { header }, files: [fileOf(bytes).sha256] }));
      const stored = await storeMessage(store, { files: [{ bytes }], messageIdentity: '<old@example.com>', manifest });
      const [token = ''] = stored.tokens;
      await makeOld(blobs, [stored]);

      const find = async (): Promise<string[]> => {
        const found = [];
        for await (const each of findLinks(admin(), { messageId: 'old@example.com' })) found.push(each.token);
        return found;
      };
      assert.deepEqual(await find(), [token]);
      assert.deepEqual(await run(now), { ...nothing, indexed: 2 });
      assert.deepEqual(await run(now), nothing);
      assert.equal((await names('index/')).length, 5);
      assert.deepEqual(await find(), [token]);
      await eraseMessage(admin(now + 2 * day), [token]);
      assert.deepEqual(await names(), ['index/complete/sweep']);
    });

    test('what a refused mail left is gone after a day or two: entries without a link, and their file', async () => {
      const file = { partNumber: '2', name: 'a', type: 'a/b', ...fileOf(newFile()) };
      const message = { messageIdentity: '<refused@example.com>', reversePath: 'a@b.example', recipients: [] };
      await store.openMessage({ ...message, files: [file], from: undefined, subject: undefined }, signal);
      await store.putFile(file, signal);
      assert.equal((await names('index/')).length, 3);
      await run(now);
      assert.equal((await names('index/')).length, 4);
      assert.deepEqual(await run(now + 2 * day), { ...nothing, entries: 3, files: 1, bytes: 1000 });
      assert.deepEqual(await names(), ['index/complete/sweep']);
    });

    test('an erase that crashed is completed after an hour', async () => {
      const { tokens } = await send(newFile(), '<crashed@example.com>');
      const found = (await store.getLink(tokens[0]!, signal))!;
      const { etag } = (await blobs.stat(`links/${tokens[0]!}`, request))!;
      const link = { ...found, erasing: new Date(now).toISOString() };
      const metadata = { v: '2', erasing: 'yes' };
      await blobs.replace(`links/${tokens[0]!}`, {
        ...request,
        etag,
        content: Buffer.from(JSON.stringify(link)),
        metadata,
      });
      assert.equal(await store.getLink(tokens[0]!, signal), undefined);
      assert.deepEqual(await run(now + 3_000_000), nothing);
      assert.deepEqual(await run(now + 3_700_000), { ...nothing, erased: 1 });
      assert.deepEqual(await names(), ['index/complete/sweep']);
    });

    /** With its clock a month ahead a sweep takes what others are writing for what a crash has left. */
    const untilDone = async <T>(work: () => Promise<T>): Promise<T> => {
      for (let tries = 1; ; tries += 1) {
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof Failure) || tries === 20) throw error;
        }
      }
    };

    test('sweeping while the same files are sent again loses none of them', async () => {
      const files = Array.from({ length: 40 }, newFile);
      await Promise.all(files.map((file, i) => send(file, `first ${i}`)));
      now += 30 * day;
      const results = await Promise.all([
        untilDone(() => run(now)),
        Promise.all(files.map((file, i) => untilDone(() => send(file, `second ${i}`)))),
        untilDone(() => run(now)),
      ]);
      for (const file of files) assert.equal(await isThere(file), true);
      assert.ok(results[0].files + results[2].files <= files.length);
      assert.deepEqual((await run(now + 9 * day)).files, 0);
    });
  });
