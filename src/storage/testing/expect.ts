import assert from 'node:assert/strict';
import type { Readable } from 'node:stream';
import { Failure } from '../../smtp/failures.ts';

export async function bytesOf(stream: Readable | undefined): Promise<Buffer> {
  assert.ok(stream);
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** For `assert.rejects`: a failure of storage whose reason shows no secret. */
export const storageFailed = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure);
  assert.equal(error.kind, 'storageFailed');
  assert.match(error.message, pattern);
  assert.doesNotMatch(error.message, /AccountKey|sig=[^…]/);
  return true;
};
