import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../smtp/failures.ts';
import { HeaderRoom } from './header-room.ts';
import { maxHeaderMemoryBytes, Spool } from './spool.ts';
import type { SpoolSpace } from './spool-space.ts';

const mebibyte = 1024 * 1024;
const client = '192.0.2.1';

const spoolOf = (maxBytes: number, space?: SpoolSpace): Spool =>
  new Spool({ directory: '/nonexistent', maxBytes, meter: { spool: () => undefined }, ...(space ? { space } : {}) });

const isFull = (reason: RegExp) => (error: unknown) =>
  error instanceof Failure && error.kind === 'spoolFull' && reason.test(error.message);

test('a small header takes no room', async () => {
  const spool = spoolOf(1);
  await new HeaderRoom(spool, client).grow(64 * 1024);
  assert.equal(spool.used, 0);
});

test('a large one takes of the spool as it grows, and gives all back once', async () => {
  const spool = spoolOf(4 * mebibyte);
  const room = new HeaderRoom(spool, client);
  for (let length = 0; length <= mebibyte; length += 1000) await room.grow(length);
  assert.ok(spool.used >= 999_000 && spool.used <= mebibyte, String(spool.used));
  room.release();
  room.release();
  assert.equal(spool.used, 0);
});

test('what a client holds in headers counts for its share', async () => {
  const spool = spoolOf(2 * mebibyte);
  const other = new HeaderRoom(spool, '192.0.2.2');
  await other.grow(100_000);
  const first = new HeaderRoom(spool, client);
  await first.grow(mebibyte);
  assert.throws(() => new HeaderRoom(spool, client).grow(100_000), isFull(/client 192\.0\.2\.1 holds/));
  await other.grow(mebibyte / 2);
});

test('all headers together have a bound in memory, however large the spool is', async () => {
  const spool = spoolOf(100 * maxHeaderMemoryBytes);
  const rooms: HeaderRoom[] = [];
  for (let i = 0; i < maxHeaderMemoryBytes / (2 * mebibyte); i++) {
    const room = new HeaderRoom(spool, client);
    await room.grow(2 * mebibyte);
    rooms.push(room);
  }
  const late = new HeaderRoom(spool, client);
  assert.throws(() => late.grow(100_000), isFull(/memory for headers/));
  late.release();
  rooms[0]!.release();
  await new HeaderRoom(spool, client).grow(2 * mebibyte);
});

test('a message that ends while other processes are asked keeps nothing', async () => {
  let answer: (refusal: string | undefined) => void = () => undefined;
  let given = 0;
  const spool = spoolOf(mebibyte, {
    take: () => new Promise((resolve) => (answer = resolve)),
    give: (bytes) => void (given += bytes),
  });
  const room = new HeaderRoom(spool, client);
  const growing = room.grow(100_000);
  room.release();
  answer(undefined);
  await growing;
  assert.equal(given, 256 * 1024);
  assert.equal(spool.used, 0);
});
