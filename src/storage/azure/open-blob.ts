import type { Readable } from 'node:stream';
import type { BlobClient } from '@azure/storage-blob';
import { type AttemptOptions, answered, attempt } from './attempt.ts';
import type { FileRange } from '../interface.ts';

/**
 * The bytes as a stream: read from storage no faster than they are taken, resumed where a connection broke, and an
 * error, never an early end, when they cannot be had. Aborting the signal or destroying the stream ends the request.
 */
export async function openBlob(
  blob: BlobClient,
  { range, ...options }: AttemptOptions & { readonly range: FileRange | undefined },
): Promise<Readable | undefined> {
  const { signal } = options;
  // Lives as long as the stream, longer than the attempt that opens it.
  const reading = new AbortController();
  const stream = await attempt(options, async (current) => {
    const giveUp = (): void => reading.abort();
    current.signal.addEventListener('abort', giveUp);
    try {
      const found = await blob.download(range?.offset ?? 0, range?.count, {
        abortSignal: reading.signal,
        maxRetryRequests: 3,
      });
      return found.readableStreamBody as Readable;
    } catch (error) {
      answered(error, 404);
      return undefined;
    } finally {
      current.signal.removeEventListener('abort', giveUp);
    }
  });
  if (!stream) return undefined;
  const onAbort = (): void => {
    reading.abort();
    stream.destroy(new Error('download was given up'));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  stream.once('close', () => {
    signal.removeEventListener('abort', onAbort);
    reading.abort();
  });
  if (signal.aborted) onAbort();
  return stream;
}
