import { MilterError } from './milter-error.ts';
import { commandByte, maxPacketBytes } from './protocol.ts';

export interface Packet {
  /** One letter. */
  readonly letter: string;
  /** Good until the next packet is asked for: a view of what was received, where it came in one piece. */
  readonly data: Buffer;
  /** Of a packet of body alone: the next one has more of the same. */
  readonly more: boolean;
}

const noBytes = Buffer.alloc(0);

const lengthBytes = 4;

const bodyLetter = commandByte.body.charCodeAt(0);

/** Chunks that are joined as soon as there are so many: a chunk of one byte takes a hundred times its size. */
const maxChunks = 256;

/**
 * Cuts a byte stream into packets, wherever its chunks are cut.
 *
 * Buffers at most one packet that is not complete (`maxPacketBytes`). Read packets with `next` until it has none,
 * then `push` the next chunk. A packet of body is given in the pieces that it comes in: joining them doubled the CPU
 * time of a message, since most packets of 64 KiB come in two chunks.
 */
export class PacketParser {
  #chunks: Buffer[] = [];
  #buffered = 0;
  /** Chunks at the end of the list that were not joined yet. */
  #small = 0;
  /** Bytes of a packet of body that were not given yet; undefined outside of one. */
  #body: number | undefined;

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    this.#small += 1;
    // Only what came since the last time: each byte is copied once, however small the chunks are.
    if (this.#small === maxChunks) this.#chunks.push(Buffer.concat(this.#chunks.splice(-maxChunks)));
    this.#small %= maxChunks;
  }

  /** Bytes of a packet that has begun and is not complete, or of packets that were not asked for yet. */
  get buffered(): number {
    return this.#buffered;
  }

  /** @throws MilterError for a length that no packet has */
  next(): Packet | undefined {
    if (this.#body !== undefined) return this.#piece(this.#body);
    if (this.#buffered < lengthBytes) return undefined;
    const length = this.#peek(lengthBytes).readUInt32BE();
    if (length === 0) throw new MilterError('a packet of no bytes');
    if (length > maxPacketBytes) throw new MilterError(`a packet of ${length} bytes, ${maxPacketBytes} are allowed`);
    if (this.#buffered === lengthBytes) return undefined;
    if (this.#peek(lengthBytes + 1)[lengthBytes] === bodyLetter) {
      this.#take(lengthBytes + 1);
      return this.#piece(length - 1);
    }
    if (this.#buffered < lengthBytes + length) return undefined;
    const packet = this.#take(lengthBytes + length).subarray(lengthBytes);
    return { letter: packet.toString('latin1', 0, 1), data: packet.subarray(1), more: false };
  }

  /** What is there of a packet of body. */
  #piece(left: number): Packet | undefined {
    this.#body = left;
    const count = Math.min(left, this.#chunks[0]?.length ?? 0);
    if (count === 0 && left > 0) return undefined;
    const data = count === 0 ? noBytes : this.#take(count);
    const more = count < left;
    this.#body = more ? left - count : undefined;
    return { letter: commandByte.body, data, more };
  }

  /** The first bytes, which are there. */
  #peek(count: number): Buffer {
    const first = this.#chunks[0]!;
    if (first.length >= count) return first;
    // Joined once, however many chunks of one byte there are: what is joined stays joined.
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    this.#small = 0;
    return joined;
  }

  #take(count: number): Buffer {
    const bytes = this.#peek(count);
    const rest = bytes.subarray(count);
    if (rest.length > 0) this.#chunks[0] = rest;
    else this.#chunks.shift();
    this.#small = Math.min(this.#small, this.#chunks.length);
    this.#buffered -= count;
    return bytes.subarray(0, count);
  }
}
