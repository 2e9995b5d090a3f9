import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { CommandSource } from './command-source.ts';
import { say } from './testing/mail-server.ts';

test('thousands of commands in one chunk leave others their turns', async () => {
  const count = 100_000;
  const socket = new PassThrough();
  socket.end(Buffer.concat(Array.from({ length: count / 2 }, () => [say.macros('R', {}), say.rcpt('b')]).flat()));
  const source = new CommandSource(socket, { makeRoom: () => true, beforeReading: () => undefined });

  let reading = true;
  let turns = 0;
  const others = (): void => {
    turns += 1;
    if (reading) setImmediate(others);
  };
  setImmediate(others);
  let commands = 0;
  while ((await source.next()) !== undefined) commands += 1;
  reading = false;

  assert.equal(commands, count);
  // One for each 8 ms of work; none if the whole chunk were taken at once.
  assert.ok(turns >= 3, `${turns} turns`);
});
