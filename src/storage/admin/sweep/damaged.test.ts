/**
 * Symptom: one record that could not be read ended every sweep, so nothing was deleted any more until somebody looked.
 * What such a record may need must stay; all the rest is swept, and each record is named.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { Blobs } from '../../blobs.ts';
import { pathOf, placeOf } from '../../directory/layout.ts';
import { createStore } from '../../store.ts';
import { type Backend, backends } from '../../testing/backends.ts';
import { fileOf, type StoredMessage, storeMessage } from '../../testing/store-message.ts';
import { changeLink } from '../change-link.ts';
import type { AdminContext } from '../context.ts';
import { sweep } from './sweep.ts';

const day = 86_400_000;
const { signal } = new AbortController();
const request = { what: 'test', signal };
const secret = Buffer.alloc(32, 3);
const garbage = Buffer.from('\0 no JSON');

class World {
  readonly backend: Backend;
  readonly blobs: Blobs;
  readonly start = Date.now();
  now = this.start;

  constructor(backend: Backend) {
    this.backend = backend;
    this.blobs = backend.open(() => this.now);
  }

  admin(): AdminContext {
    const { blobs, now } = this;
    return { blobs, secrets: [secret], now: () => now, signal, progress: () => undefined };
  }

  async send(messageIdentity: string, ...files: readonly Buffer[]): Promise<StoredMessage> {
    const links = { secret: [secret], expiresAfter: 10 * day };
    const store = createStore({ storage: this.backend.storage, links, now: () => this.now });
    await store.prepare(signal);
    return storeMessage(store, { messageIdentity, files: files.map((bytes, i) => ({ bytes, name: `file ${i}` })) });
  }

  /** Its record on the disk. */
  path(name: string): string {
    const { directory } = this.backend.storage;
    assert.ok(directory);
    return join(directory, pathOf(placeOf(name)));
  }

  async names(prefix = ''): Promise<string[]> {
    const found: string[] = [];
    for await (const page of this.blobs.names(prefix, request)) found.push(...page);
    return found.sort();
  }

  /** A sweep so much later. @returns the names of the records that could not be read */
  async sweep(days: number, dryRun = false): Promise<readonly string[]> {
    this.now = this.start + days * day;
    return (await sweep(this.admin(), { dryRun })).damaged.described.map(({ record }) => record);
  }

  /** Puts other bytes in the place of the blob's. */
  async spoil(name: string): Promise<void> {
    const { etag, metadata } = (await this.blobs.stat(name, request))!;
    assert.ok(await this.blobs.replace(name, { ...request, content: garbage, metadata, etag }));
  }
}

async function within(start: () => Promise<Backend>, work: (world: World) => Promise<void>): Promise<void> {
  const backend = await start();
  try {
    await work(new World(backend));
  } finally {
    await backend.stop();
  }
}

const swept = ['index/complete/sweep'];

for (const [kind, start] of backends)
  suite(`damaged records in ${kind}`, () => {
    test('what a held link needs stays when the link cannot be read, and all the rest is swept', () =>
      within(start, async (world) => {
        const { tokens } = await world.send('<held@example.com>', randomBytes(1000), randomBytes(2000));
        const all = await world.names();
        await world.send('<other@example.com>', randomBytes(1000));
        for (const token of tokens) await changeLink(world.admin(), token, { verb: 'hold' });
        const link = `links/${tokens[0]!}`;
        const { bytes, metadata } = (await world.blobs.read(link, request))!;
        await world.spoil(link);
        assert.deepEqual(await world.sweep(200, true), [link]);
        assert.deepEqual(await world.sweep(200), [link]);
        // There was no complete sweep: links from before the index may be unknown.
        assert.deepEqual(await world.names(), all);
        const { etag } = (await world.blobs.stat(link, request))!;
        await world.blobs.replace(link, { ...request, content: bytes, metadata, etag });
        assert.deepEqual(await world.sweep(200), []);
        assert.deepEqual(await world.names(), [...all, ...swept].sort());
        for (const token of tokens) await changeLink(world.admin(), token, { verb: 'release' });
        assert.deepEqual(await world.sweep(300), []);
        assert.deepEqual(await world.names(), swept);
      }));

    test('beside a link that cannot be read, what the index does not name is not taken for needless', () =>
      within(start, async (world) => {
        const { tokens } = await world.send('<old@example.com>', randomBytes(1000));
        assert.deepEqual(await world.sweep(0), []);
        const link = `links/${tokens[0]!}`;
        for (const name of await world.names('index/')) {
          if (swept.includes(name)) continue;
          const { etag } = (await world.blobs.stat(name, request))!;
          await world.blobs.delete(name, { ...request, etag });
        }
        const { etag } = (await world.blobs.stat(link, request))!;
        await world.blobs.replace(link, { ...request, content: garbage, metadata: {}, etag });
        const before = await world.names();
        for (const days of [3, 9]) assert.deepEqual(await world.sweep(days), [link]);
        assert.deepEqual(await world.names(), before);
        // The operator takes it away.
        const last = (await world.blobs.stat(link, request))!;
        await world.blobs.delete(link, { ...request, etag: last.etag });
        assert.deepEqual(await world.sweep(10), []);
        assert.deepEqual(await world.names(), swept);
      }));

    test('a manifest, a page and a record of recipients that cannot be read are named where they are read', () =>
      within(start, async (world) => {
        const { page, manifestId } = await world.send('<1@example.com>', randomBytes(1000), randomBytes(1000));
        await world.spoil(`pages/${page!}`);
        const manifest = `messages/${manifestId}`;
        const { etag } = (await world.blobs.stat(manifest, request))!;
        await world.blobs.replace(manifest, { ...request, content: garbage, metadata: {}, etag });
        const named = [`messages/${manifestId}`, `pages/${page!}`];
        assert.deepEqual([...(await world.sweep(200))].sort(), named);
        assert.deepEqual(
          (await world.names()).filter((name) => !name.startsWith('index/')),
          named,
        );
      }));
  });

suite('damaged files of records', () => {
  const [, start] = backends.find(([kind]) => kind === 'a directory')!;

  test('whichever record it is, and however it is damaged, it is named and everything stays', () =>
    within(start, async (world) => {
      await world.send('<kept@example.com>', randomBytes(1000), randomBytes(2000));
      const kept = await world.names();
      await world.sweep(0);
      for (const name of kept) {
        const record = readFileSync(world.path(name));
        for (const spoilt of [Buffer.alloc(0), record.subarray(0, 10), Buffer.from('{"v":1}\n')]) {
          writeFileSync(world.path(name), spoilt);
          // Not long enough for anything of the first message to be over.
          assert.deepEqual(await world.sweep(9), [name]);
          assert.deepEqual(readFileSync(world.path(name)), spoilt);
        }
        writeFileSync(world.path(name), record);
        assert.deepEqual(await world.sweep(9), []);
      }
      assert.deepEqual(
        (await world.names()).filter((name) => kept.includes(name)),
        kept,
      );
    }));

  test('with each record damaged in turn a held message keeps all of them, and another message is swept', () =>
    within(start, async (world) => {
      const bytes = randomBytes(1000);
      const { tokens } = await world.send('<held@example.com>', bytes);
      await changeLink(world.admin(), tokens[0]!, { verb: 'hold' });
      const kept = await world.names();
      for (const [i, name] of kept.entries()) {
        world.now = world.start;
        await world.send(`<other-${i}@example.com>`, randomBytes(1000));
        const record = readFileSync(world.path(name));
        writeFileSync(world.path(name), '');
        assert.deepEqual(await world.sweep(200), [name]);
        writeFileSync(world.path(name), record);
        assert.deepEqual(
          (await world.names()).filter((each) => !swept.includes(each)),
          kept,
        );
      }
    }));

  test('the bytes of a file stay when its record is lost, while a link points to it', () =>
    within(start, async (world) => {
      const bytes = randomBytes(1000);
      const { sha256 } = fileOf(bytes);
      await world.send('<1@example.com>', bytes);
      const content = join(world.backend.storage.directory!, 'files', sha256.slice(0, 3), sha256);
      rmSync(world.path(`files/${sha256}`));
      assert.deepEqual(await world.sweep(5), [`files/${sha256}`]);
      assert.ok(existsSync(content));
      await world.sweep(100);
      assert.deepEqual(await world.sweep(101), []);
      assert.equal(existsSync(content), false);
    }));

  test('a record of the last sweep that cannot be read is named; the sweep is like a first one', () =>
    within(start, async (world) => {
      await world.send('<1@example.com>', randomBytes(1000));
      await world.sweep(0);
      writeFileSync(world.path(swept[0]!), '');
      assert.deepEqual(await world.sweep(200), swept);
      assert.deepEqual(await world.names(), swept);
    }));

  test('a million records that cannot be read are counted, and the first ones are described', () =>
    within(start, async (world) => {
      const { tokens } = await world.send('<1@example.com>', randomBytes(1000));
      const spoilt = Array.from({ length: 30 }, () => `links/${randomBytes(16).toString('base64url')}`);
      for (const name of [...spoilt, `links/${tokens[0]!}`]) {
        await world.blobs.touch(name, request);
        writeFileSync(world.path(name), '');
      }
      const { damaged } = await sweep(world.admin());
      assert.equal(damaged.count, 31);
      assert.equal(damaged.described.length, 20);
    }));
});
