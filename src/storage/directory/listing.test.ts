/**
 * Symptom: `sweep` and `stats` of a million links did not end at SIGTERM. Cause: each of their 4096 folders has less than a
 * page, and only full pages let the event loop turn.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectoryBlobs } from './directory-blobs.ts';

test('a listing of many small folders notices that it is to end', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'detach-listing-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const request = { what: 'test', signal: new AbortController().signal };
  const blobs = new DirectoryBlobs({ directory, reserve: 0, now: Date.now, blocking: true });
  await blobs.prepare(request.signal);
  for (let i = 0; i < 20; i++) await blobs.touch(`links/${randomBytes(16).toString('base64url')}`, request);
  const control = new AbortController();
  const reason = new Error('ended by SIGTERM');
  setImmediate(() => control.abort(reason));
  let listed = 0;
  const list = async (): Promise<void> => {
    for await (const page of blobs.list('links/', { ...request, signal: control.signal })) listed += page.length;
  };
  await assert.rejects(list, /ended by SIGTERM/);
  assert.ok(listed < 20, `${listed} records`);
});
