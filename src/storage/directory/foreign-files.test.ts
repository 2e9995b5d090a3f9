/**
 * Symptom: `links list`, `stats` and `sweep` ended with ENOTDIR or a JSON error because another program had left a file
 * in the directory, and did not say where; a sweep deleted such files below `files/`.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Failure } from '../../smtp/failures.ts';
import { fileOf } from '../testing/store-message.ts';
import { DirectoryBlobs } from './directory-blobs.ts';

const request = { what: 'test', signal: new AbortController().signal };
const token = 'AAAAAAAAAAAAAAAAAAAAAA';
const file = fileOf(Buffer.from('a file'));

async function openStore(t: TestContext): Promise<{ readonly directory: string; readonly blobs: DirectoryBlobs }> {
  const directory = mkdtempSync(join(tmpdir(), 'detach-foreign-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const blobs = new DirectoryBlobs({ directory, reserve: 0, now: Date.now, blocking: true });
  await blobs.prepare(request.signal);
  await blobs.create(`links/${token}`, { ...request, content: Buffer.from('{}'), metadata: {} });
  await blobs.create(`files/${file.sha256}`, { ...request, content: file, metadata: { until: 'never' } });
  return { directory, blobs };
}

async function namesOf(blobs: DirectoryBlobs, prefix: string): Promise<readonly string[]> {
  const [listed, named]: [string[], string[]] = [[], []];
  for await (const page of blobs.list(prefix, request)) listed.push(...page.map(({ name }) => name));
  for await (const page of blobs.names(prefix, request)) named.push(...page);
  assert.deepEqual(named, listed);
  return listed;
}

test('files of other programs in the directory are neither read nor deleted', async (t) => {
  const { directory, blobs } = await openStore(t);
  const foreign = [
    'README',
    'tmp/README',
    ...['links', 'files', 'states'].flatMap((kind) => {
      const [shard = ''] = readdirSync(join(directory, kind));
      return [`${kind}/README`, `${kind}/xy`, `${kind}/.nfs01`].concat(
        ['.nfs0001', 'a name.txt', 'a.b.c', 'COPYING.txt~'].map((name) => `${kind}/${shard}/${name}`),
      );
    }),
  ].map((name) => join(directory, name));
  for (const path of foreign) writeFileSync(path, 'root:x:0:0:root');
  mkdirSync(join(directory, 'lost+found'));
  mkdirSync(join(directory, 'links', 'lost+found'));
  assert.deepEqual(await namesOf(blobs, 'links/'), [`links/${token}`]);
  assert.deepEqual(await namesOf(blobs, 'files/'), [`files/${file.sha256}`]);
  const later = { ...request, before: Date.now() + 60_000, dryRun: false };
  assert.equal(await blobs.removeLeftovers(later), 0);
  assert.deepEqual(
    foreign.filter((path) => !existsSync(path)),
    [],
  );
});

test('a record that cannot be read is named, and nothing of its text is told', async (t) => {
  for (const spoil of [
    (path: string): void => writeFileSync(path, 'secret: 1\n'),
    (path: string): void => writeFileSync(path, ''),
    (path: string): void => symlinkSync(join(import.meta.dirname, 'foreign-files.test.ts'), path),
  ]) {
    const { directory, blobs } = await openStore(t);
    const path = join(directory, 'links', 'AA', token);
    rmSync(path);
    spoil(path);
    const isNamed = (error: unknown): boolean =>
      error instanceof Failure && error.message.includes(`links/AA/${token}: `) && !error.message.includes('secret');
    await assert.rejects(async () => {
      for await (const page of blobs.list('links/', request)) assert.ok(page);
    }, isNamed);
    await assert.rejects(
      blobs.read(`links/${token}`, request),
      (error) => error instanceof Failure && !error.message.includes('secret'),
    );
  }
});
