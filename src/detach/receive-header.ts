import { HeaderBlock } from '../message/header-block.ts';
import { Failure } from '../smtp/failures.ts';
import { takeChunk } from '../runtime/take-chunk.ts';

/** Ten times what any honest message has, and 100,000 short fields. */
const maxHeaderBytes = 2 * 1024 * 1024;

/** Of a small message the body came with the header, and stays as long. */
const largeRest = 16 * 1024;

const cr = 0x0d;
const lf = 0x0a;
const endOfHeader = Buffer.from('\r\n\r\n');

export interface Received {
  readonly header: HeaderBlock;
  /** What came after the header: the empty line first. No bytes when the message ended before it. */
  readonly rest: Buffer;
}

/**
 * Reads up to the empty line that ends the header (RFC 5322 section 2.1).
 * @throws Failure headerTooLarge, and whatever the source rejects with
 */
export async function receiveHeader(source: AsyncIterator<Buffer>): Promise<Received> {
  const chunks: Buffer[] = [];
  let length = 0;
  /** The last three bytes before the chunk at hand, behind a line end that stands for the beginning. */
  let before: Buffer = Buffer.from('\r\n');
  for (let chunk = takeChunk(await source.next()); chunk; chunk = takeChunk(await source.next())) {
    chunks.push(chunk);
    // What ends at a chunk boundary has a CR or LF on either side of it.
    const atSeam =
      chunk[0] === cr || chunk[0] === lf ? Buffer.concat([before, chunk.subarray(0, 3)]).indexOf(endOfHeader) : -1;
    const inChunk = atSeam < 0 ? chunk.indexOf(endOfHeader) : -1;
    if (atSeam >= 0 || inChunk >= 0) {
      const end = atSeam >= 0 ? length - before.length + atSeam + 2 : length + inChunk + 2;
      const all = chunks.length === 1 ? chunk : Buffer.concat(chunks);
      return { header: headerOf(ownBytes(all, end)), rest: all.subarray(end) };
    }
    length += chunk.length;
    if (length > maxHeaderBytes) throw tooLarge();
    before = chunk.length >= 3 ? chunk.subarray(-3) : Buffer.from(Buffer.concat([before, chunk]).subarray(-3));
  }
  return { header: headerOf(Buffer.concat(chunks)), rest: Buffer.alloc(0) };
}

/** The header lives as long as the message: a view would keep all of a large chunk in memory with it. */
function ownBytes(chunk: Buffer, end: number): Buffer {
  const view = chunk.subarray(0, end);
  return chunk.length - end > largeRest ? Buffer.from(view) : view;
}

function headerOf(raw: Buffer): HeaderBlock {
  if (raw.length > maxHeaderBytes) throw tooLarge();
  return HeaderBlock.parse(raw);
}

const tooLarge = (): Failure =>
  new Failure('headerTooLarge', { reason: `header block is larger than ${maxHeaderBytes} bytes` });
