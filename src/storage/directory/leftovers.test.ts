import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileOf } from '../testing/store-message.ts';
import { DirectoryBlobs } from './directory-blobs.ts';
import { encodeVersion, newVersion, tombstone } from './version.ts';

const request = { what: 'test', signal: new AbortController().signal };

test('what crashes left is removed, and nothing else', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'detach-leftovers-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const blobs = new DirectoryBlobs({ directory, reserve: 0, now: Date.now });
  await blobs.prepare(request.signal);
  const file = fileOf(Buffer.from('a file'));
  const name = `files/${file.sha256}`;
  await blobs.create(name, { ...request, content: file, metadata: { until: 'never' } });
  await blobs.create('links/AAAAAAAAAAAAAAAAAAAAAA', { ...request, content: Buffer.from('{}'), metadata: {} });
  const everything = (): string[] =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  const before = everything();
  const record = before.find((path) => path.includes('/links/'))!;

  // Killed while a draft was written, after an upload, between a change and its tidying, and while it was deleted.
  writeFileSync(join(directory, 'tmp', 'u-abandoned'), 'half a file');
  const bytes = before.find((path) => path.includes('/files/'))!;
  writeFileSync(`${bytes}.another`, 'a file');
  const { etag } = (await blobs.stat('links/AAAAAAAAAAAAAAAAAAAAAA', request))!;
  const next = newVersion({ metadata: { changed: 'yes' }, bytes: Buffer.from('{}') }, Date.now());
  writeFileSync(`${record}.${etag}`, encodeVersion(next));
  const deleted = record.replace(/A$/, 'Q');
  writeFileSync(`${deleted}.new`, encodeVersion(newVersion(tombstone, Date.now())));
  renameSync(`${deleted}.new`, deleted);

  const remove = (before: number, dryRun = false): Promise<number> =>
    blobs.removeLeftovers({ ...request, before, dryRun });
  const list = async (): Promise<void> => {
    for await (const page of blobs.list('links/', request)) {
      assert.deepEqual(
        page.map(({ name, metadata }) => [name, metadata]),
        [['links/AAAAAAAAAAAAAAAAAAAAAA', { changed: 'yes' }]],
      );
    }
    const names: string[] = [];
    for await (const page of blobs.names('links/', request)) names.push(...page);
    assert.ok(names.includes('links/AAAAAAAAAAAAAAAAAAAAAA'));
    assert.ok(names.every((name) => !name.includes('.')));
  };
  const later = Date.now() + 60_000;
  assert.equal(await remove(Date.now() - 60_000), 0);
  assert.equal(await remove(later, true), 3);
  await list();
  assert.equal(await remove(later), 4);
  assert.deepEqual(everything(), before);
  assert.deepEqual((await blobs.stat('links/AAAAAAAAAAAAAAAAAAAAAA', request))?.metadata, { changed: 'yes' });
  assert.equal((await blobs.stat(name, request))?.size, 6);
  assert.equal(await remove(later), 0);
});

test('of two who remove the same leftovers at once, none fails, and each is counted once', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'detach-leftovers-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const open = (): DirectoryBlobs => new DirectoryBlobs({ directory, reserve: 0, now: Date.now });
  await open().prepare(request.signal);
  for (let i = 0; i < 200; i++) writeFileSync(join(directory, 'tmp', `u-abandoned${i}`), 'half a file');
  const later = { ...request, before: Date.now() + 60_000, dryRun: false };
  const counts = await Promise.all([open(), open(), open()].map((blobs) => blobs.removeLeftovers(later)));
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    200,
  );
  assert.deepEqual(readdirSync(join(directory, 'tmp')), []);
});
