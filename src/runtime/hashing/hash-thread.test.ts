import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { type FileDigest, HashThread, hashThread, md5Bytes } from './hash-thread.ts';

const shared = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(new SharedArrayBuffer(bytes.length));
  bytes.copy(copy);
  return copy;
};

const digestOf = (bytes: Uint8Array): FileDigest => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  crc32: crc32(bytes),
});

test('files that arrive at the same time, each in its own pieces', async () => {
  const files = Array.from({ length: 20 }, (_, i) => shared(randomBytes(i * 7001)));
  const hashes = files.map(() => hashThread().open());
  for (let at = 0; at < 20 * 7001; at += 5000) {
    for (const [i, file] of files.entries()) {
      if (at < file.length) hashes[i]!.update(file.subarray(at, at + 5000));
    }
  }
  assert.deepEqual(await Promise.all(hashes.map((hash) => hash.digest())), files.map(digestOf));
});

test('memory may be used again once the thread has caught up', async () => {
  const slow = hashThread().open();
  const much = shared(Buffer.alloc(32 * 1024 * 1024, 'x'));
  for (let i = 0; i < 8; i++) slow.update(much);
  const block = shared(Buffer.from('first '));
  const hash = hashThread().open();
  hash.update(block);
  await hash.flush()();
  block.write('second');
  hash.update(block);
  assert.deepEqual(await hash.digest(), digestOf(Buffer.from('first second')));
  slow.forget();
});

test('a file that was forgotten leaves nothing behind', async () => {
  const forgotten = hashThread().open();
  forgotten.update(shared(Buffer.from('x')));
  forgotten.forget();
  assert.deepEqual(await forgotten.digest(), digestOf(Buffer.alloc(0)));
});

test('of a file that was begun before the thread ended there is no digest', async () => {
  const thread = new HashThread();
  const [waiting, begun] = [thread.open(), thread.open()];
  waiting.update(shared(Buffer.alloc(1024 * 1024)));
  begun.update(shared(Buffer.from('x')));
  const digest = waiting.digest();
  await thread.stop();
  await assert.rejects(digest, /the thread that hashes files ended/);
  assert.ok(thread.ended);
  begun.update(shared(Buffer.from('y')));
  await begun.flush()();
  await assert.rejects(begun.digest(), /the thread that hashes files ended/);
});

test('the next file has a new thread', async () => {
  const first = hashThread();
  assert.equal(hashThread(), first);
  const unheard = first.open().digest();
  await first.stop();
  assert.notEqual(hashThread(), first);
  assert.deepEqual(await hashThread().open().digest(), digestOf(Buffer.alloc(0)));
  await Promise.allSettled([unheard]);
});

test('MD5 sums of the parts of a file, when they are asked for', async () => {
  const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('base64');
  const bytes = shared(Buffer.alloc(2 * md5Bytes, 'some text'));
  for (const length of [0, 1, md5Bytes - 1, md5Bytes, md5Bytes + 1, 2 * md5Bytes]) {
    const hash = hashThread().open({ md5: true });
    for (let at = 0; at < length; at += 5_000_000) hash.update(bytes.subarray(at, Math.min(at + 5_000_000, length)));
    const parts = Array.from({ length: Math.max(1, Math.ceil(length / md5Bytes)) }, (_, i) =>
      bytes.subarray(i * md5Bytes, Math.min((i + 1) * md5Bytes, length)),
    );
    assert.deepEqual((await hash.digest()).md5, parts.map(md5), `${length} bytes`);
  }
});
