/**
 * Bytes on their way into a blob that must not exist yet.
 *
 * Up to 64 MiB they go in one conditional request straight from the reader: the socket's backpressure reaches the
 * reader through `pipeline`, a few stream buffers are all that is held. What is larger goes in blocks of 8 MiB, one
 * at a time through one buffer, so that a broken connection costs one block and not a gigabyte; nothing is visible
 * before the list of blocks is committed, and that carries the condition. Both count: a reader that ends early or
 * late commits nothing.
 */
import { randomBytes } from 'node:crypto';
import { type Readable, pipeline } from 'node:stream';
import type { BlockBlobClient, BlockBlobUploadOptions } from '@azure/storage-blob';
import { type Attempt, answered, attempt, hasCode } from './attempt.ts';
import { exactly } from './exactly.ts';
import type { FileContent } from './interface.ts';

const wholeUpTo = 64 * 1024 * 1024;
const blockSize = 8 * 1024 * 1024;
/** A transfer that moves is never given up; one that stands still this long is. */
const stallMs = 30_000;

/** What is stored: bytes in memory, or a reader of so many bytes. */
export type Content = Buffer | Pick<FileContent, 'size' | 'open'>;

export const sizeOf = (content: Content): number => (Buffer.isBuffer(content) ? content.length : content.size);

export interface Upload {
  /** For the log. */
  readonly what: string;
  readonly content: Content;
  readonly metadata: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** @returns false when the blob is there already: nothing was changed. */
export function upload(blob: BlockBlobClient, { what, content, metadata, signal }: Upload): Promise<boolean> {
  return attempt({ what, signal, idleMs: stallMs }, async (current) => {
    const options = {
      abortSignal: current.signal,
      metadata: { ...metadata },
      blobHTTPHeaders: { blobContentType: 'application/octet-stream' },
      conditions: { ifNoneMatch: '*' },
    };
    try {
      if (Buffer.isBuffer(content)) await blob.upload(content, content.length, options);
      else if (content.size <= wholeUpTo) await putWhole(blob, { ...current, file: content, options });
      else await putBlocks(blob, { ...current, file: content, options });
      return true;
    } catch (error) {
      // Whoever committed first took our blocks away with it.
      if (hasCode(error, 'InvalidBlockList')) return false;
      answered(error, 409, 412);
      return false;
    }
  });
}

interface Transfer extends Attempt {
  readonly file: Exclude<Content, Buffer>;
  readonly options: BlockBlobUploadOptions;
}

async function putWhole(blob: BlockBlobClient, transfer: Transfer): Promise<void> {
  let reading: Readable | undefined;
  // Called once per try: a retry reads from the start.
  const body = (): NodeJS.ReadableStream => {
    reading?.destroy();
    const counted = exactly(transfer.file.size, () => transfer.touch());
    reading = counted;
    pipeline(transfer.file.open(), counted, (error) => {
      // The SDK does not listen to the stream that it sends: without this a reader that fails would leave the
      // request waiting for bytes that never come.
      if (error && reading === counted) transfer.abort(error);
    });
    return counted;
  };
  try {
    await blob.upload(body, transfer.file.size, transfer.options);
  } finally {
    const last = reading;
    reading = undefined;
    last?.destroy();
  }
}

async function putBlocks(blob: BlockBlobClient, transfer: Transfer): Promise<void> {
  const { options, signal: abortSignal } = transfer;
  const { size } = transfer.file;
  const run = randomBytes(9).toString('base64url');
  const ids: string[] = [];
  const block = Buffer.allocUnsafe(blockSize);
  let filled = 0;
  const stage = async (): Promise<void> => {
    const id = Buffer.from(`${run}-${String(ids.length).padStart(6, '0')}`).toString('base64');
    await blob.stageBlock(id, block.subarray(0, filled), filled, { abortSignal });
    ids.push(id);
    filled = 0;
    transfer.touch();
  };
  const counted = exactly(transfer.file.size, () => transfer.touch());
  const source = transfer.file.open();
  const piped = pipeline(source, counted, () => undefined);
  const destroy = (): void => void piped.destroy(new Error('upload was given up'));
  abortSignal.addEventListener('abort', destroy);
  try {
    for await (const chunk of counted as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length;) {
        const taken = chunk.copy(block, filled, at);
        filled += taken;
        at += taken;
        if (filled === blockSize) await stage();
      }
    }
    if (filled > 0) await stage();
  } finally {
    abortSignal.removeEventListener('abort', destroy);
  }
  if (ids.length !== Math.ceil(size / blockSize)) throw new Error(`${ids.length} blocks do not make ${size} bytes`);
  await blob.commitBlockList(ids, options);
}
