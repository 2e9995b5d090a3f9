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
import type { BlockBlobClient, BlockBlobUploadOptions } from '@azure/storage-blob';
import { type Attempt, answered, attempt, hasCode } from './attempt.ts';
import type { Blocks, FileContent } from './interface.ts';
import { RequestBody } from './request-body.ts';

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
  let sending: RequestBody | undefined;
  // Called once per try: a retry reads from the start.
  const body = (): NodeJS.ReadableStream => {
    sending?.destroy();
    // The SDK does not listen to the stream that it sends: without this a reader that fails would leave the request
    // waiting for bytes that never come.
    sending = new RequestBody(counted(transfer), (error) => transfer.abort(error));
    return sending;
  };
  try {
    await blob.upload(body, transfer.file.size, transfer.options);
  } finally {
    sending?.destroy();
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
  const source = counted(transfer);
  const destroy = (): void => void source.destroy?.(new Error('upload was given up'));
  abortSignal.addEventListener('abort', destroy);
  try {
    for await (const chunk of source) {
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

/**
 * The bytes of a file; fails unless they are exactly as many as were promised. The last block is a copy that is handed
 * out once the source has ended: with it storage has all that was announced, and commits.
 */
function counted(transfer: Transfer): Blocks {
  const { file } = transfer;
  const source = file.open();
  async function* blocks(): AsyncGenerator<Buffer, void, undefined> {
    let seen = 0;
    let last: Buffer | undefined;
    for await (const block of source) {
      transfer.touch();
      seen += block.length;
      if (seen > file.size) throw new Error(`more than the promised ${file.size} bytes`);
      if (seen < file.size) yield block;
      else if (block.length > 0) last = Buffer.from(block);
    }
    if (seen < file.size) throw new Error(`${seen} of the promised ${file.size} bytes`);
    if (last) yield last;
  }
  return Object.assign(blocks(), { destroy: (error?: Error) => source.destroy?.(error) });
}
