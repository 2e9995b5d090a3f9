import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import fc from '../../../test/harness/property.ts';
import type { BlobState } from '../blobs.ts';
import { readChain, readOnlyVersion } from './chain.ts';
import { Deletions } from './deletions.ts';
import { DirectoryBlobs } from './directory-blobs.ts';
import { Drafts } from './drafts.ts';
import { placeOf } from './layout.ts';
import { encodeVersion, newVersion } from './version.ts';

const request = { what: 'test', signal: new AbortController().signal };

async function openDirectory(
  t: TestContext,
): Promise<{ directory: string; open: (blocking?: boolean) => DirectoryBlobs }> {
  const directory = mkdtempSync(join(tmpdir(), 'detach-deletions-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const open = (blocking = false): DirectoryBlobs =>
    new DirectoryBlobs({ directory, reserve: 0, now: Date.now, blocking });
  await open().prepare(request.signal);
  return { directory, open };
}

const nameOf = (i: number): string => `links/${String(i).padStart(22, 'A')}`;
const create = (blobs: DirectoryBlobs, name: string): Promise<boolean> =>
  blobs.create(name, { ...request, content: Buffer.from('{}'), metadata: {} });
const below = (directory: string, folder: string): string[] =>
  readdirSync(join(directory, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

test('many records are deleted together, and nothing of them stays', async (t) => {
  const { directory, open } = await openDirectory(t);
  const blobs = open(true);
  const names = Array.from({ length: 300 }, (_, i) => nameOf(i));
  for (const name of names) await create(blobs, name);
  const found = await Promise.all(names.map((name) => blobs.stat(name, request)));
  const half = found.map((state, i) => blobs.delete(names[i]!, { ...request, etag: i % 2 ? state!.etag : 'another' }));
  assert.deepEqual(
    await Promise.all(half),
    names.map((_, i) => i % 2 === 1),
  );
  assert.equal(below(directory, 'links').length, 150);
  const twice = names.flatMap((name, i) =>
    [name, name].map((each) => blobs.delete(each, { ...request, etag: found[i]!.etag })),
  );
  assert.equal((await Promise.all(twice)).filter(Boolean).length, 150);
  assert.deepEqual(below(directory, 'links'), []);
  assert.deepEqual(below(directory, 'tmp'), []);
  for (const name of names.slice(0, 3)) {
    assert.equal(await blobs.stat(name, request), undefined);
    assert.ok(await create(blobs, name));
  }
});

/** A directory with one record. */
async function openRecord(t: TestContext) {
  const { directory, open } = await openDirectory(t);
  const blobs = open();
  const name = nameOf(1);
  await create(blobs, name);
  const { etag } = (await blobs.stat(name, request))!;
  const path = join(directory, placeOf(name).folder, placeOf(name).file);
  return { directory, blobs, name, etag, path };
}

test('a record that others have changed, and not tidied yet, is left as it is', async (t) => {
  const { directory, blobs, name, etag, path } = await openRecord(t);
  const changed = newVersion({ metadata: {}, bytes: Buffer.from('{}') }, Date.now());
  writeFileSync(`${path}.${etag}`, encodeVersion(changed));
  assert.equal(await blobs.delete(name, { ...request, etag }), false);
  assert.ok(await blobs.delete(name, { ...request, etag: changed.id }));
  assert.deepEqual(below(directory, 'links'), []);
});

/** Does something at the moment when a deletion looks for what others announce. */
class WatchedDrafts extends Drafts {
  meanwhile: (kinds: string) => void = () => undefined;
  beforeTidying: () => void = () => undefined;

  override async busy(...[records, kinds]: Parameters<Drafts['busy']>): Promise<ReadonlySet<string>> {
    this.meanwhile(kinds);
    return super.busy(records, kinds);
  }

  override path(...[kind, record]: Parameters<Drafts['path']>): string {
    if (kind === 'r') this.beforeTidying();
    return super.path(kind, record);
  }
}

suite('between two calls of a deletion', () => {
  interface Scene {
    readonly blobs: DirectoryBlobs;
    readonly path: string;
    readonly name: string;
    readonly etag: string;
    readonly drafts: WatchedDrafts;
    readonly alone: string[];
    readonly remove: () => Promise<boolean>;
  }

  async function scene(t: TestContext): Promise<Scene> {
    const { directory, blobs, name, etag, path } = await openRecord(t);
    const drafts = new WatchedDrafts(join(directory, 'tmp'));
    const alone: string[] = [];
    const options = {
      drafts,
      now: Date.now,
      blocking: true,
      alone: ({ id }: { id: string }) => Promise.resolve(alone.push(id) > 0),
    };
    const deletions = new Deletions(options);
    return { blobs, path, name, etag, drafts, alone, remove: () => deletions.delete({ path, id: etag }) };
  }

  test('another process creates the record again before it is announced that it is tidied: the new one stays', async (t) => {
    const { blobs, path, name, etag, drafts, remove } = await scene(t);
    const version = newVersion({ metadata: {}, bytes: Buffer.from('{}') }, Date.now());
    drafts.beforeTidying = () => {
      const gone = readOnlyVersion(`${path}.${etag}`);
      assert.ok(gone !== 'several' && gone?.gone);
      writeFileSync(`${path}.${gone.id}`, encodeVersion(version));
    };
    assert.ok(await remove());
    assert.equal((await blobs.stat(name, request))?.etag, version.id);
    assert.ok(await blobs.delete(name, { ...request, etag: version.id }));
    assert.equal(await blobs.stat(name, request), undefined);
  });

  test('another process has announced a change: its version still finds the tombstone that it follows', async (t) => {
    const { blobs, path, name, etag, drafts, remove } = await scene(t);
    const announcement = drafts.path('c', path);
    const version = newVersion({ metadata: {}, bytes: Buffer.from('{}') }, Date.now());
    drafts.meanwhile = (kinds) => {
      if (kinds === 'cr') writeFileSync(announcement, encodeVersion(version));
    };
    assert.ok(await remove());
    assert.equal(await blobs.stat(name, request), undefined);
    const tombstone = (await readChain(path))?.at(-1);
    assert.ok(tombstone?.gone && existsSync(`${path}.${etag}`));
    renameSync(announcement, `${path}.${tombstone.id}`);
    assert.equal((await blobs.stat(name, request))?.etag, version.id);
  });

  test('another process tidies the record: it is left to the change that waits for that', async (t) => {
    const { blobs, path, name, etag, drafts, alone, remove } = await scene(t);
    drafts.meanwhile = (kinds) => {
      if (kinds === 'r') writeFileSync(drafts.path('r', path), '');
    };
    assert.ok(await remove());
    assert.deepEqual(alone, [etag]);
    assert.equal((await blobs.stat(name, request))?.etag, etag);
  });

  test('a sweep with a clock far ahead takes the announcement away: the deletion begins again', async (t) => {
    const { blobs, path, name, etag, drafts, alone, remove } = await scene(t);
    const folder = join(path.slice(0, path.indexOf('links')), 'tmp');
    drafts.meanwhile = (kinds) => {
      if (kinds === 'r') for (const each of readdirSync(folder)) rmSync(join(folder, each));
    };
    assert.ok(await remove());
    assert.deepEqual(alone, [etag]);
    assert.equal((await blobs.stat(name, request))?.etag, etag);
  });
});

type Deed = 'delete' | 'change' | 'create' | 'read';

test('of all that several processes do with one version, one thing is done', async (t) => {
  const { directory, open } = await openDirectory(t);
  const deeds = fc.array(
    fc.record({
      deed: fc.constantFrom<Deed>('delete', 'delete', 'change', 'create', 'read'),
      who: fc.nat(3),
      which: fc.nat(2),
      patience: fc.nat(3),
    }),
    { minLength: 4, maxLength: 40 },
  );
  let round = 0;
  await fc.assert(
    fc.asyncProperty(deeds, async (all) => {
      const processes = [open(true), open(true), open(), open()];
      const names = [0, 1, 2].map((i) => nameOf(++round * 10 + i));
      for (const name of names) await create(processes[0]!, name);
      const ended = new Map<string, number>();
      const made = new Map(names.map((name) => [name, 1]));
      const act = async ({ deed, who, which, patience }: (typeof all)[number]): Promise<void> => {
        const [blobs, name] = [processes[who]!, names[which]!];
        if (deed === 'create') {
          if (await create(blobs, name)) made.set(name, made.get(name)! + 1);
          return;
        }
        const found = await blobs.stat(name, request);
        for (let i = 0; i < patience; i++) await new Promise(setImmediate);
        if (found && deed !== 'read' && (await end(blobs, { name, deed, found }))) {
          ended.set(found.etag, (ended.get(found.etag) ?? 0) + 1);
          if (deed === 'delete') made.set(name, made.get(name)! - 1);
        }
      };
      await Promise.all(all.map(act));
      for (const [etag, times] of ended) assert.equal(times, 1, `${etag} was followed ${times} times`);
      for (const name of names) {
        const states = await Promise.all(processes.map((blobs) => blobs.stat(name, request)));
        assert.equal(new Set(states.map((state) => state?.etag)).size, 1);
        assert.equal(states[0] ? 1 : 0, made.get(name));
      }
      assert.deepEqual(below(directory, 'tmp'), []);
    }),
    { numRuns: process.env['DETACH_RACES'] === 'all' ? 3000 : 20 },
  );
});

function end(
  blobs: DirectoryBlobs,
  { name, deed, found }: { readonly name: string; readonly deed: 'delete' | 'change'; readonly found: BlobState },
): Promise<boolean> {
  const change = { ...request, etag: found.etag };
  if (deed === 'delete') return blobs.delete(name, change);
  return blobs.replace(name, { ...change, content: Buffer.from('{}'), metadata: {} });
}
