import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../smtp/failures.ts';
import { BodyStream } from './body-stream.ts';

async function readAll(body: BodyStream): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(piece);
  return pieces;
}

test('octets that come one by one reach the reader in pieces of 4 KiB, all of them and in order', async () => {
  const body = new BodyStream();
  const reading = readAll(body);
  const sent = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251));
  for (let at = 0; at < sent.length; at += 1) {
    body.push(sent.subarray(at, at + 1));
    if (at % 1000 === 0) await Promise.resolve();
  }
  body.end();
  const pieces = await reading;
  assert.deepEqual(
    pieces.map((piece) => piece.length),
    [4096, 4096, 1808],
  );
  assert.ok(Buffer.concat(pieces).equals(sent));
});

test('chunks of any size keep their order', async () => {
  const body = new BodyStream();
  const reading = readAll(body);
  const sizes = [1, 5000, 0, 10, 4095, 4096, 3, 3, 70_000, 1];
  const sent = sizes.map((size, i) => Buffer.alloc(size, i + 1));
  for (const chunk of sent) body.push(chunk);
  body.end();
  assert.ok(Buffer.concat(await reading).equals(Buffer.concat(sent)));
});

test('a small message that came at once is not copied', async () => {
  const body = new BodyStream();
  const message = Buffer.from('Subject: x\r\n\r\nhello\r\n');
  body.push(message);
  body.end();
  const [piece] = await readAll(body);
  assert.equal(piece?.buffer, message.buffer);
});

test('a reader that is behind stops the client after one piece', () => {
  const body = new BodyStream();
  assert.equal(body.push(Buffer.alloc(4095)), true);
  assert.equal(body.push(Buffer.alloc(1)), false);
});

test('a message that failed keeps nothing, and its reader hears of it', async () => {
  const body = new BodyStream();
  const reading = readAll(body);
  body.push(Buffer.alloc(10));
  body.fail(new Failure('clientGone'));
  await assert.rejects(reading, { kind: 'clientGone' });
  assert.equal(body.push(Buffer.alloc(10_000)), true);
});
