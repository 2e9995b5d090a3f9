import { setTimeout as pause } from 'node:timers/promises';
import type { BlobClient } from '@azure/storage-blob';
import type { BlobState } from '../blobs.ts';
import { type Attempt, type AttemptOptions, answered, attempt } from './attempt.ts';
import { stateOf } from './blob-state.ts';

/** How often a small blob is read from its start when the connection breaks. */
const maxTries = 3;
const pauseMs = 100;

/** A whole blob of ours that is small by nature, with the ETag of exactly these bytes; undefined: not there. */
export function readSmall(
  blob: BlobClient,
  options: AttemptOptions,
): Promise<(BlobState & { readonly bytes: Buffer }) | undefined> {
  return attempt(options, async (current) => {
    try {
      for (let tries = 1; ; tries++) {
        const found = await blob.download(0, undefined, { abortSignal: current.signal });
        const result = await bytesOf(found.readableStreamBody as AsyncIterable<Buffer>, current);
        if (Buffer.isBuffer(result)) return { ...stateOf(found), bytes: result };
        if (tries >= maxTries || current.signal.aborted) throw result.broken;
        await pause(pauseMs, undefined, { signal: current.signal });
      }
    } catch (error) {
      answered(error, 404);
      return undefined;
    }
  });
}

async function bytesOf(body: AsyncIterable<Buffer>, current: Attempt): Promise<Buffer | { readonly broken: unknown }> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) {
      current.touch();
      chunks.push(chunk);
    }
  } catch (broken) {
    return { broken };
  }
  return Buffer.concat(chunks);
}
