import type { BlobClient } from '@azure/storage-blob';
import type { BlobState } from '../blobs.ts';
import { type AttemptOptions, answered, attempt } from './attempt.ts';
import { stateOf } from './blob-state.ts';

/** A whole blob of ours that is small by nature, with the ETag of exactly these bytes; undefined: not there. */
export function readSmall(
  blob: BlobClient,
  options: AttemptOptions,
): Promise<(BlobState & { readonly bytes: Buffer }) | undefined> {
  return attempt(options, async (current) => {
    try {
      const found = await blob.download(0, undefined, { abortSignal: current.signal, maxRetryRequests: 2 });
      const chunks: Buffer[] = [];
      for await (const chunk of found.readableStreamBody as AsyncIterable<Buffer>) {
        current.touch();
        chunks.push(chunk);
      }
      return { ...stateOf(found), bytes: Buffer.concat(chunks) };
    } catch (error) {
      answered(error, 404);
      return undefined;
    }
  });
}
