import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Failure } from '../../smtp/failures.ts';
import { blockSize, maxResidentBlocks, Spool } from './spool.ts';
import { Tape } from './tape.ts';

const root = mkdtempSync(join(tmpdir(), 'detach-test-'));
after(() => rmSync(root, { recursive: true }));

const levels: number[] = [];
const spoolAt = (name: string, maxBytes = 2 ** 30): Spool =>
  new Spool({ directory: join(root, name), maxBytes, meter: { spool: (bytes) => levels.push(bytes) } });

/** A spool without memory for blocks: everything goes to its file. */
function spoolOnDisk(name: string, maxBytes?: number): Spool {
  const spool = spoolAt(name, maxBytes);
  for (let i = 0; i < maxResidentBlocks; i++) assert.ok(spool.claimResident());
  return spool;
}

async function read(tape: Tape, from = 0, to = tape.length): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of tape.read(from, to)) blocks.push(block);
  return Buffer.concat(blocks);
}

const bytes = Buffer.from(Array.from({ length: 3 * blockSize + 777 }, (_, i) => (i * 31) >> 4));

async function lent(tape: Tape, from: number, to: number): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of tape.lend(from, to)) {
    blocks.push(Buffer.from(block));
    block.copyWithin(0, 0);
  }
  return Buffer.concat(blocks);
}

const half = spoolAt('half');
for (let i = 0; i < maxResidentBlocks - 2; i++) half.claimResident();

for (const [where, spool] of [
  ['from memory', spoolAt('a')],
  ['from disk', spoolOnDisk('a')],
  ['from both', half],
] as const)
  test(`any stretch comes back, ${where}`, async () => {
    const tape = new Tape(spool);
    // Blocks that are not full to the last byte, as decoding base64 leaves them.
    for (let at = 0; at < bytes.length;) {
      const room = tape.room(Math.min(48_000, bytes.length - at));
      const count = bytes.copy(room, 0, at, Math.min(at + 48_000, bytes.length));
      tape.commit(count);
      at += count;
      await tape.drain();
    }
    const inFile = spool.used;
    for (const [from, to] of [
      [0, bytes.length],
      [1, 2],
      [blockSize - 1, blockSize + 1],
      [blockSize - 20_000, 2 * blockSize + 20_000],
      [3 * blockSize - 5, bytes.length],
      [10, 10],
    ] as const) {
      assert.ok((await read(tape, from, to)).equals(bytes.subarray(from, to)), `${from}-${to}`);
      assert.ok((await lent(tape, from, to)).equals(bytes.subarray(from, to)), `${from}-${to} lent`);
    }
    assert.ok(inFile > 2 * blockSize, 'memory counts like disk');
    tape.retain();
    await tape.release();
    assert.ok((await read(tape)).equals(bytes));
    await tape.release();
    assert.equal(spool.used, 0);
    assert.equal(levels.at(-1), 0);
  });

test('all bytes are shown where they are as long as none went to disk', async () => {
  for (const [spool, there] of [
    [spoolAt('views'), true],
    [spoolOnDisk('views'), false],
  ] as const) {
    const tape = new Tape(spool);
    assert.deepEqual(tape.views(), []);
    tape.append(bytes);
    await tape.drain();
    const views = tape.views();
    assert.equal(views !== undefined, there);
    if (views) assert.ok(Buffer.concat(views).equals(bytes));
    await tape.release();
  }
});

test('all messages together keep no more in memory than the spool may', async () => {
  const spool = spoolAt('e');
  const tapes: Tape[] = [];
  for (let i = 0; i < maxResidentBlocks; i++) {
    const tape = new Tape(spool);
    for (let at = 0; at < bytes.length; at += 50_000) {
      tape.append(bytes.subarray(at, at + 50_000));
      await tape.drain();
    }
    tapes.push(tape);
  }
  assert.equal(spool.claimResident(), false);
  for (const tape of tapes) assert.ok((await read(tape)).equals(bytes));
  for (const tape of tapes) await tape.release();
  const taken = Array.from({ length: maxResidentBlocks }, () => spool.claimResident());
  assert.ok(taken.every(Boolean), 'what was kept is given back');
});

test('a block that was lent goes back when the reader stops', async () => {
  let out = 0;
  class Counting extends Spool {
    override takeBlock(): Buffer {
      out += 1;
      return super.takeBlock();
    }
    override giveBlock(block: Buffer): void {
      out -= 1;
      super.giveBlock(block);
    }
  }
  const spool = new Counting({ directory: join(root, 'f'), maxBytes: 2 ** 30, meter: { spool: () => undefined } });
  while (spool.claimResident());
  const tape = new Tape(spool);
  tape.append(bytes);
  await read(tape, 0, 3 * blockSize);
  assert.equal(out, 1, 'the one that is being filled');
  const lending = tape.lend(0, bytes.length);
  await lending.next();
  assert.equal(out, 2);
  await lending.return();
  assert.equal(out, 1);
  await tape.release();
  assert.equal(out, 0);
});

test('memory is used again, and none of it is given up', () => {
  const spool = spoolOnDisk('g');
  const first = spool.takeBlock();
  spool.giveBlock(first);
  assert.ok(spool.takeBlock() === first);
  const many = Array.from({ length: 200 }, () => spool.takeBlock());
  for (const block of many) spool.giveBlock(block);
  assert.ok(many.every(() => many.includes(spool.takeBlock())));
  assert.ok(!many.includes(spool.takeBlock()));
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

test('one client with slow uploads leaves room for the mail of another', async () => {
  const spool = new Spool({
    directory: join(root, 'shares'),
    maxBytes: 8 * blockSize,
    meter: { spool: () => undefined },
  });
  const grown = async (client: string, blocks: number): Promise<Tape> => {
    const tape = new Tape(spool, client);
    for (let i = 0; i < blocks; i++) {
      tape.append(Buffer.alloc(blockSize + (i === 0 ? 1 : 0), i));
      await tape.drain();
    }
    return tape;
  };
  const held = [await grown('192.0.2.2', 1)];
  for (let i = 0; i < 4; i++) held.push(await grown('192.0.2.1', 1));
  await assert.rejects(grown('192.0.2.1', 1), /client 192\.0\.2\.1 holds \d+ bytes of its share of \d+/);
  const other = await grown('192.0.2.2', 3);
  assert.equal((await read(other, 0, 1)).length, 1);
  for (const tape of [...held, other]) await tape.release();
  const afterwards = await grown('192.0.2.1', 3);
  assert.equal((await read(afterwards, 0, 1)).length, 1);
  await afterwards.release();
});

test('the directory is private, and what a kill left in it is removed', async () => {
  const left = new Tape(spoolOnDisk('b/c'));
  left.append(bytes);
  await read(left, 0, 1);
  assert.equal(statSync(join(root, 'b/c')).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(join(root, 'b/c')), [], 'a file has no name while it is used');
  await left.release();
  writeFileSync(join(root, `b/c/${randomUUID()}.spool`), 'x');
  writeFileSync(join(root, 'b/c/not ours'), 'x');
  const tape = new Tape(spoolOnDisk('b/c'));
  tape.append(bytes);
  assert.ok((await read(tape)).equals(bytes));
  assert.deepEqual(readdirSync(join(root, 'b/c')), ['not ours']);
  await tape.release();
});

test('a directory that others can write to is refused', async () => {
  const spool = spoolOnDisk('d');
  const first = new Tape(spool);
  first.append(bytes);
  await read(first, 0, 1);
  await first.release();
  chmodSync(join(root, 'd'), 0o777);
  const tape = new Tape(spoolOnDisk('d'));
  tape.append(bytes);
  await assert.rejects(() => read(tape, 0, 1), /can be written by other users/);
  await tape.release();
});
