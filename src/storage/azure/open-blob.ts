import type { Readable } from 'node:stream';
import type { BlobClient } from '@azure/storage-blob';
import { type AttemptOptions, answered, attempt } from './attempt.ts';
import type { FileRange } from '../interface.ts';
import { ResumingStream } from './resuming-stream.ts';

/**
 * The bytes as a stream. They are read from storage no faster than they are taken, and resumed where a connection
 * broke. If they cannot be had, the stream fails; it never ends early. Aborting the signal or destroying the stream
 * ends the request.
 */
export async function openBlob(
  blob: BlobClient,
  { range, ...options }: AttemptOptions & { readonly range: FileRange | undefined },
): Promise<Readable | undefined> {
  const offset = range?.offset ?? 0;
  // Azure knows no range of no bytes.
  const wanted = range?.count === 0 ? undefined : range?.count;
  const first = await openAt(blob, { ...options, offset, count: wanted, etag: undefined });
  if (!first) return undefined;
  const { body, count, etag } = first;
  return new ResumingStream({
    what: options.what,
    signal: options.signal,
    count,
    first: body,
    // A resumed read of another version would mix the bytes of two files.
    openAt: async (at, signal) => {
      const rest = await openAt(blob, { ...options, signal, offset: offset + at, count: count - at, etag });
      return rest?.body;
    },
  });
}

interface Piece extends AttemptOptions {
  readonly offset: number;
  /** undefined: all the rest. */
  readonly count: number | undefined;
  /** Only bytes of this version; undefined: of any. */
  readonly etag: string | undefined;
}

/** A cache on the way that does not know Azure's field for the range could answer with the bytes of another one. */
const isFrom = (offset: number, contentRange = 'bytes 0-'): boolean => contentRange.startsWith(`bytes ${offset}-`);

export interface Body {
  readonly stream: Readable;
  /** Ends the request. */
  readonly close: () => void;
}

function openAt(
  blob: BlobClient,
  { offset, count, etag, ...options }: Piece,
): Promise<{ readonly body: Body; readonly count: number; readonly etag: string | undefined } | undefined> {
  // Lives as long as the stream, longer than the attempt that opens it.
  const reading = new AbortController();
  return attempt(options, async (current) => {
    const giveUp = (): void => reading.abort();
    current.signal.addEventListener('abort', giveUp);
    try {
      const found = await blob.download(offset, count, {
        abortSignal: reading.signal,
        conditions: etag === undefined ? {} : { ifMatch: etag },
      });
      const stream = found.readableStreamBody as Readable;
      // The reader gets errors through its reads; without this listener, an error between two reads would crash the
      // process.
      stream.on('error', () => undefined);
      if (found.contentLength === undefined) throw new Error('no Content-Length');
      if (!isFrom(offset, found.contentRange)) throw new Error(`answered with other bytes: ${found.contentRange}`);
      if (count !== undefined && found.contentLength !== count)
        throw new Error(`answered with ${found.contentLength} bytes where ${count} were asked for`);
      return { body: { stream, close: giveUp }, count: found.contentLength, etag: found.etag };
    } catch (error) {
      // The SDK leaves an answer unread that it does not like.
      giveUp();
      answered(error, 404);
      return undefined;
    } finally {
      current.signal.removeEventListener('abort', giveUp);
    }
  });
}
