import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkList } from './chunk-list.ts';

test('bytes that come one at a time do not take a buffer each', () => {
  const list = new ChunkList();
  const bytes = Buffer.alloc(100_000, '0123456789');
  for (let at = 0; at < bytes.length; at++) list.push(bytes.subarray(at, at + 1));
  assert.equal(list.length, bytes.length);
  assert.ok(list.join().equals(bytes));
  const chunks = list.take();
  assert.ok(chunks.length < bytes.length / 32, `${chunks.length} chunks`);
  assert.ok(Buffer.concat(chunks).equals(bytes));
  assert.deepEqual([list.length, list.take()], [0, []]);
});

test('large chunks are not copied', () => {
  const list = new ChunkList();
  const chunks = Array.from({ length: 200 }, () => Buffer.alloc(4096, 'x'));
  for (const chunk of chunks) list.push(chunk);
  assert.ok(list.take().every((chunk, i) => chunk === chunks[i]));
});

test('a single chunk is not copied when all bytes are asked for', () => {
  const list = new ChunkList();
  const chunk = Buffer.from('x');
  list.push(chunk);
  assert.equal(list.join(), chunk);
});
