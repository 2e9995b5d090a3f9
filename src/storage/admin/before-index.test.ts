/** Commands on what versions without an index have left, before and after the first sweep. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, suite, test } from 'node:test';
import type { Blobs } from '../blobs.ts';
import { createStore } from '../store.ts';
import { type Backend, backends } from '../testing/backends.ts';
import { makeOld } from '../testing/make-old.ts';
import { fileOf, type StoredMessage, storeMessage } from '../testing/store-message.ts';
import { completeIndex } from './before-index.ts';
import { changeLink } from './change-link.ts';
import type { AdminContext } from './context.ts';
import { eraseLinks, planErase } from './erase/erase-links.ts';
import { eraseRecipient } from './erase/erase-recipient.ts';
import { type Filter, findLink, findLinks } from './find.ts';
import { relatedTo } from './related.ts';
import { sweep } from './sweep/sweep.ts';

const day = 86_400_000;
const secret = Buffer.alloc(32, 5);
const { signal } = new AbortController();
const request = { what: 'test', signal };
const shared = { bytes: Buffer.from('both messages have it'), name: 'shared.pdf' };
const own = { bytes: Buffer.from('only the first message has it'), name: 'own.pdf' };

for (const [kind, start] of backends)
  suite(`what is older than the index in ${kind}`, () => {
    let backend: Backend;
    let blobs: Blobs;
    let one: StoredMessage;
    let two: StoredMessage;
    let context: AdminContext;

    /** Days after the mail, so that nothing counts as being delivered. */
    const later = (): AdminContext => ({ ...context, now: () => Date.now() + 2 * day });

    beforeEach(async () => {
      backend = await start();
      blobs = backend.open(() => Date.now());
      context = { blobs, secrets: [secret], now: Date.now, signal, progress: () => undefined };
      const store = createStore({
        storage: backend.storage,
        links: { secret: [secret], expiresAfter: 10 * day },
        now: Date.now,
      });
      await store.prepare(signal);
      const send = (id: string, to: string, files: readonly (typeof own)[]): Promise<StoredMessage> => {
        const header = `From: Anna <a@example.com>\r\nTo: ${to}\r\nMessage-ID: <${id}@example.com>\r\n`;
        const hashes = files.map(({ bytes }) => fileOf(bytes).sha256);
        const manifest = Buffer.from(JSON.stringify({ v: 1, original: { header }, files: hashes }));
        return storeMessage(store, { messageIdentity: `<${id}@example.com>`, recipients: [to], files, manifest });
      };
      one = await send('one', 'bob@example.net', [shared, own]);
      two = await send('two', 'Carol <carol@example.net>', [shared]);
      await makeOld(blobs, [one, two]);
    });
    afterEach(() => backend.stop());

    const names = async (prefix = ''): Promise<string[]> => {
      const found: string[] = [];
      for await (const page of blobs.list(prefix, request)) found.push(...page.map(({ name }) => name));
      return found.sort();
    };
    const find = async (filter: Filter): Promise<string[]> => {
      const found: string[] = [];
      for await (const { token } of findLinks(later(), filter)) found.push(token);
      return found.sort();
    };
    const erase = async (filter: Filter, dryRun = false): Promise<unknown[]> => {
      const admin = later();
      if (!dryRun) await completeIndex(admin);
      const plan = await planErase(admin, findLinks(admin, filter));
      const { recipient } = filter;
      const done = recipient === undefined ? eraseLinks : eraseRecipient;
      const reports: unknown[] = [];
      for await (const report of done(admin, { plan, dryRun, recipient: recipient ?? '' })) reports.push(report);
      return reports;
    };
    const files = (reports: readonly unknown[]): unknown[] =>
      reports.map((report) => [(report as { sha256: string }).sha256, (report as { file: string }).file]).sort();
    const { sha256: sharedHash } = fileOf(shared.bytes);
    const { sha256: ownHash } = fileOf(own.bytes);

    test('erase before the first sweep leaves files to other links, and no manifest', async () => {
      const filter = { messageId: 'one@example.com' };
      const expected = (own: string): unknown =>
        [
          [sharedHash, 'kept'],
          [ownHash, own],
        ].sort();
      const before = await names();
      assert.deepEqual(files(await erase(filter, true)), expected('would be deleted'));
      assert.deepEqual(await names(), before);
      assert.deepEqual(files(await erase(filter)), expected('deleted'));
      assert.deepEqual(await names('links/'), [`links/${two.tokens[0]}`]);
      assert.deepEqual(await names('messages/'), [`messages/${two.manifestId}`]);
      assert.deepEqual(await names('files/'), [`files/${sharedHash}`]);
      assert.equal((await findLink(later(), two.tokens[0]!))?.state, 'living');
      await erase({ messageId: 'two@example.com' });
      assert.deepEqual(await names(), []);
    });

    test('show before the first sweep knows the other links of message and file', async () => {
      const [token = '', other = ''] = one.tokens;
      const related = await relatedTo(later(), (await findLink(later(), token))!);
      assert.deepEqual(related, { sameMessage: [other], sameFile: [two.tokens[0]] });
    });

    test('extend before the first sweep keeps what restores the message for as long', async () => {
      await completeIndex(context);
      const [token = ''] = two.tokens;
      const { link } = await changeLink(context, token, { verb: 'extend', to: { by: 90 * day } });
      const manifest = await blobs.stat(`messages/${two.manifestId}`, request);
      assert.ok(Date.parse(manifest!.metadata['until']!) > Date.parse(link!.expires!));
    });

    test('recipients are those whom the kept header names, and erase removes it', async () => {
      await sweep(context);
      const bob = { recipient: 'Bob@example.net' };
      assert.deepEqual(await find(bob), [...one.tokens].sort());
      assert.deepEqual(await find({ recipient: 'carol@example.net' }), two.tokens);
      for (const recipient of ['ob@example.net', 'bob@example.ne', 'a@example.com', 'one@example.com']) {
        assert.deepEqual(await find({ recipient }), [], recipient);
      }
      const counts = async (dryRun: boolean): Promise<unknown[]> =>
        (await erase(bob, dryRun)).map((report) => ({ ...(report as object), token: undefined }));
      // Nobody knows who else got the links: they stay.
      const removed = { token: undefined, records: 0, manifests: 1, erased: 0 };
      assert.deepEqual(await counts(true), [{ done: 'would remove the recipient', ...removed }]);
      assert.deepEqual(await counts(false), [{ done: 'removed the recipient', ...removed }]);
      assert.deepEqual(await names('messages/'), [`messages/${two.manifestId}`]);
      assert.deepEqual(
        (await names('index/message/')).filter((name) => name.includes(one.manifestId)),
        [],
      );
      assert.equal((await names('links/')).length, 3);
      assert.deepEqual(await find(bob), []);
    });
  });
