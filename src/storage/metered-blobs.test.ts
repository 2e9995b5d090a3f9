import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeter } from '../observe/meter.ts';
import { Failure } from '../smtp/failures.ts';
import type { Blobs } from './blobs.ts';
import { meterBlobs } from './metered-blobs.ts';

/** Blobs with fields that nobody else may see, as the real ones have. */
class Fake {
  readonly wantsMd5 = true;
  readonly #answer: () => Promise<boolean>;

  constructor(answer: () => Promise<boolean>) {
    this.#answer = answer;
  }

  create(): Promise<boolean> {
    return this.#answer();
  }

  probe(): Promise<boolean> {
    return this.#answer();
  }
}

const blob = { what: 'a test', content: Buffer.alloc(1), metadata: {}, signal: new AbortController().signal };

test('operations are counted and timed by kind and result; an answer stays what it was', async () => {
  const { meter, registry } = createMeter('c');
  const good = meterBlobs(new Fake(() => Promise.resolve(false)) as unknown as Blobs, meter);
  assert.equal(good.wantsMd5, true);
  assert.equal(await good.create('files/a', blob), false);
  assert.equal(await good.probe(blob.signal), false);
  const away = new Failure('storageFailed', { reason: 'away' });
  const bad = meterBlobs(new Fake(() => Promise.reject(away)) as unknown as Blobs, meter);
  await assert.rejects(bad.create('files/a', blob), away);
  const text = await registry.metrics();
  assert.match(text, /^detach_mta_storage_requests_total\{operation="create",result="ok"\} 1$/m);
  assert.match(text, /^detach_mta_storage_requests_total\{operation="create",result="failed"\} 1$/m);
  assert.match(text, /^detach_mta_storage_request_duration_seconds_count\{operation="create"\} 2$/m);
  assert.match(text, /^detach_mta_storage_request_duration_seconds_count\{operation="look"\} 0$/m);
});
