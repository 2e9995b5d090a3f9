import type { BlobClient } from '@azure/storage-blob';
import { type AttemptOptions, answered, attempt } from './attempt.ts';

/** A whole blob of ours that is small by nature, with the ETag of exactly these bytes; undefined: not there. */
export function readSmall(
  blob: BlobClient,
  options: AttemptOptions,
): Promise<{ readonly bytes: Buffer; readonly etag: string } | undefined> {
  return attempt(options, async (current) => {
    try {
      const found = await blob.download(0, undefined, { abortSignal: current.signal, maxRetryRequests: 2 });
      const chunks: Buffer[] = [];
      for await (const chunk of found.readableStreamBody as AsyncIterable<Buffer>) {
        current.touch();
        chunks.push(chunk);
      }
      return { bytes: Buffer.concat(chunks), etag: found.etag ?? '' };
    } catch (error) {
      answered(error, 404);
      return undefined;
    }
  });
}
