/**
 * Uploads bytes into a blob that must not exist yet.
 *
 * Up to 32 MiB are sent in one conditional request. More is sent in blocks of 32 MiB, one at a time, so that a broken
 * connection costs one block and not a gigabyte. Nothing is visible before the list of blocks is committed, and that
 * request carries the condition. Bytes go straight from the reader into the request, and only the reader's current
 * block is held. Bytes are counted: a reader that ends early or late commits nothing. Each request carries the MD5 sum
 * of its bytes as they came to us: storage refuses what was changed on the way, by a proxy or in our own memory.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { BlockBlobClient, BlockBlobUploadOptions, BlockBlobUploadResponse } from '@azure/storage-blob';
import { type Attempt, answered, attempt, hasCode } from './attempt.ts';
import { type Content, type NewBlob } from '../blobs.ts';
import type { Blocks } from '../interface.ts';
import { md5Bytes } from '../../runtime/hashing/hash-thread.ts';
import { RequestBody } from './request-body.ts';

/** Each block has an MD5 sum of its own. */
const blockSize = md5Bytes;
/** A transfer that moves is never given up; one that stands still this long is. */
const stallMs = 30_000;

/** @returns false when the blob is there already: nothing was changed. */
export function upload(blob: BlockBlobClient, { what, content, metadata, signal }: NewBlob): Promise<boolean> {
  return attempt({ what, signal, idleMs: stallMs }, async (current) => {
    const options = {
      abortSignal: current.signal,
      metadata: { ...metadata },
      blobHTTPHeaders: { blobContentType: 'application/octet-stream' },
      conditions: { ifNoneMatch: '*' },
    };
    try {
      if (Buffer.isBuffer(content)) await putBuffer(blob, content, options);
      else if (content.size <= blockSize) await putWhole(blob, { ...current, file: content, options });
      else await putBlocks(blob, { ...current, file: content, options });
      return true;
    } catch (error) {
      // Another upload committed first, and that removed our blocks.
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

/** Writes a small buffer; the options say whether it may replace other bytes. */
export async function putBuffer(blob: BlockBlobClient, bytes: Buffer, options: BlockBlobUploadOptions): Promise<void> {
  await blob.upload(bytes, bytes.length, { ...options, ...checked(createHash('md5').update(bytes).digest()) });
}

async function putWhole(blob: BlockBlobClient, transfer: Transfer): Promise<void> {
  const { file, options } = transfer;
  const md5 = md5Of(file, 0);
  const stored = await send(transfer, {
    from: 0,
    to: file.size,
    request: (body) => blob.upload(body, file.size, { ...options, ...checked(md5) }),
  });
  await compare(blob, { md5, stored, options });
}

async function putBlocks(blob: BlockBlobClient, transfer: Transfer): Promise<void> {
  const { file, options, signal: abortSignal } = transfer;
  const run = randomBytes(9).toString('base64url');
  const ids: string[] = [];
  for (let from = 0; from < file.size; from += blockSize) {
    const to = Math.min(from + blockSize, file.size);
    const id = Buffer.from(`${run}-${String(ids.length).padStart(6, '0')}`).toString('base64');
    const check = checked(md5Of(file, ids.length));
    await send(transfer, {
      from,
      to,
      request: (body) => blob.stageBlock(id, body, to - from, { abortSignal, ...check }),
    });
    ids.push(id);
  }
  await blob.commitBlockList(ids, options);
}

function md5Of({ md5 }: Transfer['file'], block: number): Buffer | undefined {
  const sum = md5?.[block];
  return sum === undefined ? undefined : Buffer.from(sum, 'base64');
}

/** As Content-MD5: storage compares it with what has arrived, and refuses. The SDK's type knows it for blocks only. */
const checked = (md5: Buffer | undefined): { readonly transactionalContentMD5?: Buffer } =>
  md5 === undefined ? {} : { transactionalContentMD5: md5 };

/** Deletes what was stored with another MD5 sum: a proxy on the way had removed the sum from the request. */
async function compare(
  blob: BlockBlobClient,
  {
    md5,
    stored,
    options,
  }: {
    readonly md5: Buffer | undefined;
    readonly stored: BlockBlobUploadResponse;
    readonly options: BlockBlobUploadOptions;
  },
): Promise<void> {
  if (md5 === undefined || stored.contentMD5 === undefined || md5.equals(stored.contentMD5)) return;
  const { abortSignal } = options;
  const conditions = stored.etag === undefined ? {} : { ifMatch: stored.etag };
  await blob.delete({ conditions, ...(abortSignal && { abortSignal }) });
  throw new Error('what was stored has another MD5 sum than what was sent');
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Makes a request whose body is a range of the file. */
async function send<T>(
  transfer: Transfer,
  { request, ...range }: Range & { readonly request: (body: () => NodeJS.ReadableStream) => Promise<T> },
): Promise<T> {
  let sending: RequestBody | undefined;
  // Called once per try: a retry reads from the start.
  const body = (): NodeJS.ReadableStream => {
    sending?.destroy();
    // The SDK does not listen to the stream that it sends: without this a reader that fails would leave the request
    // waiting for bytes that never come.
    sending = new RequestBody(counted(transfer, range), (error) => transfer.abort(error));
    return sending;
  };
  try {
    return await request(body);
  } finally {
    sending?.destroy();
  }
}

/**
 * The bytes of a range; fails unless they are exactly as many as were promised. The last block is copied and sent only
 * after the source has ended without an error, because storage commits as soon as it has all announced bytes.
 */
function counted(transfer: Transfer, { from, to }: Range): Blocks {
  const promised = to - from;
  const source = transfer.file.open(from, to);
  async function* blocks(): AsyncGenerator<Buffer, void, undefined> {
    let seen = 0;
    let last: Buffer | undefined;
    for await (const block of source) {
      transfer.touch();
      seen += block.length;
      if (seen > promised) throw new Error(`more than the promised ${promised} bytes`);
      if (seen < promised) yield block;
      else if (block.length > 0) last = Buffer.from(block);
    }
    if (seen < promised) throw new Error(`${seen} of the promised ${promised} bytes`);
    if (last) yield last;
  }
  return Object.assign(blocks(), { destroy: (error?: Error) => source.destroy?.(error) });
}
