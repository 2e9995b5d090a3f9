import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type FileDigest, hashThread } from '../../runtime/hashing/hash-thread.ts';
import { FileHashes } from './file-hashes.ts';
import { blockSize, maxResidentBlocks, Spool } from './spool.ts';
import { Tape } from './tape.ts';

const root = mkdtempSync(join(tmpdir(), 'detach-test-'));
after(() => rmSync(root, { recursive: true }));

const spoolAt = (name: string): Spool =>
  new Spool({ directory: join(root, name), maxBytes: 2 ** 30, meter: { spool: () => undefined } });

/** A spool without memory for blocks: everything goes to its file. */
function spoolOnDisk(name: string): Spool {
  const spool = spoolAt(name);
  for (let i = 0; i < maxResidentBlocks; i++) assert.ok(spool.claimResident());
  return spool;
}

const bytes = Buffer.alloc(3 * blockSize + 777, 'detached');

for (const [where, spool] of [
  ['memory', spoolAt('memory')],
  ['disk', spoolOnDisk('disk')],
] as const)
  test(`a file is hashed, and nothing around it, on its way to ${where}`, async () => {
    const tape = new Tape(spool);
    const hashes = new FileHashes(tape);
    // Keeps the thread busy: a block that is used again too early would change what the thread reads.
    const busy = hashThread().open();
    const much = Buffer.from(new SharedArrayBuffer(16 * 1024 * 1024));
    for (let i = 0; i < 8; i++) busy.update(much);
    const expected: string[] = [];
    const found: Promise<FileDigest>[] = [];
    for (const size of [10, 20 * blockSize + 1, 0, blockSize, 3]) {
      tape.append(Buffer.from('structure'));
      const hash = createHash('sha256');
      hashes.begin();
      for (let left = size, value = 1; left > 0; left -= 50_000, value++) {
        const chunk = Buffer.alloc(Math.min(left, 50_000), value);
        hash.update(chunk);
        tape.append(chunk);
        await tape.drain();
      }
      found.push(hashes.end());
      // One time the whole block with the end of the file, the other time only a part of it.
      tape.append(Buffer.alloc(size === 10 ? 2 * blockSize : 4));
      expected.push(hash.digest('hex'));
    }
    hashes.begin();
    tape.append(Buffer.from('abandoned'));
    assert.deepEqual(
      (await Promise.all(found)).map(({ sha256 }) => sha256),
      expected,
    );
    await tape.release();
    await assert.rejects(hashes.end(), /no file was begun/);
    busy.forget();
  });

for (const [when, finish] of [
  ['the tape is read', (tape: Tape) => tape.read(0, 1).next()],
  ['the tape is released unread', (tape: Tape) => tape.release()],
] as const)
  test(`no block counts as being on its way to disk any more when ${when}`, async (t) => {
    const spool = spoolOnDisk('written');
    const begun = t.mock.method(spool, 'writeBegins');
    const ended = t.mock.method(spool, 'writeEnds');
    const tape = new Tape(spool);
    const hashes = new FileHashes(tape);
    hashes.begin();
    tape.append(bytes);
    await hashes.end();
    await finish(tape);
    assert.equal(begun.mock.callCount(), 3);
    assert.equal(ended.mock.callCount(), 3);
    await tape.release();
  });
