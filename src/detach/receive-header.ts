import type { MessageRoom } from '../limits/message-room.ts';
import { HeaderBlock } from '../message/header-block.ts';
import { Failure } from '../smtp/failures.ts';
import { takeChunk } from '../runtime/take-chunk.ts';
import { takeTurns } from '../runtime/take-turns.ts';
import { ChunkList } from './chunk-list.ts';

/** Twice what Exim accepts (`header_maxsize`), and ten times what the longest honest header has. */
export const maxHeaderBytes = 2 * 1024 * 1024;

/** A thousand times what an honest message has. */
export const maxHeaderFields = 131_072;

/** Reading a larger one takes some milliseconds, and so does looking for its stamps. */
const largeHeaderBytes = 64 * 1024;

/** Bytes of body behind the header up to which both stay in the chunk that they came in. */
const largeRest = 16 * 1024;

const cr = 0x0d;
const lf = 0x0a;
const space = 0x20;
const tab = 0x09;
const endOfHeader = Buffer.from('\r\n\r\n');

export interface Received {
  readonly header: HeaderBlock;
  /** What came after the header: the empty line first. No bytes when the message ended before it. */
  readonly rest: Buffer;
}

/**
 * Reads up to the empty line that ends the header (RFC 5322 section 2.1). Holds at most `maxHeaderBytes` and one chunk,
 * and reads the next chunk only when this one was searched.
 * @throws Failure headerTooLarge, or spoolFull where room is counted, and whatever the source rejects with
 */
export async function receiveHeader(source: AsyncIterator<Buffer>, room?: MessageRoom): Promise<Received> {
  const chunks = new ChunkList();
  let fields = 0;
  /** The last three bytes before the current chunk. At the start of the message, a line end stands for them. */
  let before: Buffer = Buffer.from('\r\n');
  for (let chunk = takeChunk(await source.next()); chunk; chunk = takeChunk(await source.next())) {
    const { length } = chunks;
    chunks.push(chunk);
    // An end across a chunk boundary has a CR or LF on both sides of it.
    const acrossChunks =
      chunk[0] === cr || chunk[0] === lf ? Buffer.concat([before, chunk.subarray(0, 3)]).indexOf(endOfHeader) : -1;
    const inChunk = acrossChunks < 0 ? chunk.indexOf(endOfHeader) : -1;
    if (acrossChunks >= 0 || inChunk >= 0) {
      const end = acrossChunks >= 0 ? length - before.length + acrossChunks + 2 : length + inChunk + 2;
      const header = length === 0 ? ownBytes(chunk, end) : chunks.join(end);
      const received = { header: headerOf(header), rest: restOf(chunk, { before, at: end - length }) };
      if (end > largeHeaderBytes) await takeTurns();
      return received;
    }
    if (chunks.length > maxHeaderBytes) throw tooLarge();
    fields += countFields(chunk);
    if (fields > maxHeaderFields) throw tooMany();
    const reserving = room?.grow(chunks.length);
    if (reserving) await reserving;
    before = chunk.length >= 3 ? chunk.subarray(-3) : Buffer.from(Buffer.concat([before, chunk]).subarray(-3));
  }
  return { header: headerOf(chunks.join()), rest: Buffer.alloc(0) };
}

/** What comes after the header, which ends at this place of the last chunk, or some bytes before it. */
function restOf(chunk: Buffer, { before, at }: { readonly before: Buffer; readonly at: number }): Buffer {
  return at >= 0 ? chunk.subarray(at) : Buffer.concat([before.subarray(at), chunk]);
}

/**
 * Copies the bytes if the chunk is large: the header stays in memory as long as the message, and a view would keep the
 * whole chunk.
 */
function ownBytes(chunk: Buffer, end: number): Buffer {
  const view = chunk.subarray(0, end);
  return chunk.length - end > largeRest ? Buffer.from(view) : view;
}

function headerOf(raw: Buffer): HeaderBlock {
  if (raw.length > maxHeaderBytes) throw tooLarge();
  try {
    return HeaderBlock.parse(raw, maxHeaderFields);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw tooMany();
  }
}

/**
 * Counts the fields that begin in this chunk, except one at its start, so that too many are refused before all are in
 * memory.
 */
function countFields(chunk: Buffer): number {
  let count = 0;
  for (let at = 1; at < chunk.length; at++)
    if (chunk[at - 1] === lf && chunk[at] !== space && chunk[at] !== tab) count += 1;
  return count;
}

const tooMany = (): Failure =>
  new Failure('headerTooLarge', { reason: `header has more than ${maxHeaderFields} fields` });

const tooLarge = (): Failure =>
  new Failure('headerTooLarge', { reason: `header block is larger than ${maxHeaderBytes} bytes` });
