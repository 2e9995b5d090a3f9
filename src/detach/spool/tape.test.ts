import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Failure } from '../../smtp/failures.ts';
import { blockSize, Spool } from './spool.ts';
import { Tape } from './tape.ts';

const root = mkdtempSync(join(tmpdir(), 'detach-test-'));
after(() => rmSync(root, { recursive: true }));

const levels: number[] = [];
const spoolAt = (name: string, maxBytes = 2 ** 30): Spool =>
  new Spool({ directory: join(root, name), maxBytes, meter: { spool: (bytes) => levels.push(bytes) } });

async function read(tape: Tape, from = 0, to = tape.length): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of tape.read(from, to)) blocks.push(block);
  return Buffer.concat(blocks);
}

const bytes = Buffer.from(Array.from({ length: 3 * blockSize + 777 }, (_, i) => (i * 31) >> 4));

test('any stretch comes back, from disk and from memory', async () => {
  const spool = spoolAt('a');
  const tape = new Tape(spool);
  for (let at = 0; at < bytes.length; at += 50_000) {
    tape.append(bytes.subarray(at, at + 50_000));
    await tape.drain();
  }
  for (const [from, to] of [
    [0, bytes.length],
    [1, 2],
    [blockSize - 1, blockSize + 1],
    [3 * blockSize - 5, bytes.length],
    [10, 10],
  ] as const)
    assert.ok((await read(tape, from, to)).equals(bytes.subarray(from, to)), `${from}-${to}`);
  assert.equal(spool.used, 3 * blockSize);
  tape.retain();
  await tape.release();
  assert.ok((await read(tape)).equals(bytes));
  await tape.release();
  assert.equal(spool.used, 0);
  assert.equal(levels.at(-1), 0);
});

test('what was read stays as it is when the next message uses the same memory', async () => {
  const spool = spoolAt('a');
  const tape = new Tape(spool);
  tape.append(Buffer.from('first'));
  const first = await read(tape);
  await tape.release();
  const next = new Tape(spool);
  next.append(Buffer.from('other'));
  assert.equal(first.toString(), 'first');
  await next.release();
});

test('the limit holds for all messages together', async () => {
  const spool = spoolAt('a', 4 * blockSize);
  const one = new Tape(spool);
  const other = new Tape(spool);
  one.append(bytes);
  await read(one, 0, 1);
  other.append(bytes);
  await assert.rejects(
    () => read(other, 0, 1),
    (error: unknown) => error instanceof Failure && error.kind === 'spoolFull',
  );
  await one.release();
  await other.release();
  assert.equal(spool.used, 0);
});

test('the directory is private, and what a kill left in it is removed', async () => {
  const left = new Tape(spoolAt('b/c'));
  left.append(bytes);
  await read(left, 0, 1);
  assert.equal(statSync(join(root, 'b/c')).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(join(root, 'b/c')), [], 'a file has no name while it is used');
  await left.release();
  writeFileSync(join(root, 'b/c/old.spool'), 'x');
  writeFileSync(join(root, 'b/c/not ours'), 'x');
  const tape = new Tape(spoolAt('b/c'));
  tape.append(bytes);
  assert.ok((await read(tape)).equals(bytes));
  assert.deepEqual(readdirSync(join(root, 'b/c')), ['not ours']);
  await tape.release();
});

test('a directory that others can write to is refused', async () => {
  const spool = spoolAt('d');
  const first = new Tape(spool);
  first.append(bytes);
  await read(first, 0, 1);
  await first.release();
  chmodSync(join(root, 'd'), 0o777);
  const tape = new Tape(spoolAt('d'));
  tape.append(bytes);
  await assert.rejects(() => read(tape, 0, 1), /can be written by other users/);
  await tape.release();
});
