import { MilterError } from './milter-error.ts';
import { commandByte, maxPacketBytes } from './protocol.ts';

export interface Packet {
  /** One letter. */
  readonly letter: string;
  /** Good until the next packet is asked for: a view of what was received, where it came in one piece. */
  readonly data: Buffer;
  /** Of a packet of body alone: the next one has more of the same. */
  readonly more: boolean;
  /** Its data was dropped as it came. */
  readonly skipped: boolean;
}

const noBytes = Buffer.alloc(0);

const lengthBytes = 4;

const bodyLetter = commandByte.body.charCodeAt(0);

/** Chunks that are joined as soon as there are so many: a chunk of one byte takes a hundred times its size. */
const maxChunks = 256;

/**
 * Cuts a byte stream into packets, wherever its chunks are cut.
 *
 * Buffers at most one packet that is not complete (`maxPacketBytes`), none that is skipped. Read packets with `next` until
 * it has none, then `push` the next chunk. A packet of body is given in the pieces that it comes in: joining them doubled
 * the CPU time of a message, since most packets of 64 KiB come in two chunks.
 */
export class PacketParser {
  #chunks: Buffer[] = [];
  /** Bytes of the first chunk that were taken. */
  #at = 0;
  #buffered = 0;
  /** Chunks at the end of the list that were not joined yet. */
  #small = 0;
  /** Bytes of a packet of body that were not given yet; undefined outside of one. */
  #body: number | undefined;
  /** The packet that is dropped as it comes. */
  #skipped: { readonly letter: string; left: number } | undefined;

  push(chunk: Buffer): void {
    const dropped = Math.min(this.#skipped?.left ?? 0, chunk.length);
    if (this.#skipped) this.#skipped.left -= dropped;
    if (chunk.length === dropped) return;
    this.#chunks.push(chunk.subarray(dropped));
    this.#buffered += chunk.length - dropped;
    this.#small += 1;
    // Only what came since the last time: each byte is copied once, however small the chunks are.
    if (this.#small === maxChunks) this.#chunks.push(Buffer.concat(this.#chunks.splice(-maxChunks)));
    this.#small %= maxChunks;
  }

  /** Bytes of a packet that has begun and is not complete, or of packets that were not asked for yet. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Bytes that the packet which has begun takes when it is complete; 0 when none has, or when it is skipped. */
  get expected(): number {
    return this.#skipped || this.#body !== undefined || this.#buffered <= lengthBytes
      ? 0
      : lengthBytes + this.#peek(lengthBytes).readUInt32BE(this.#at);
  }

  /** Drops the packet that has begun, as it comes: nothing of it stays in memory but its letter. */
  skip(): void {
    const left = this.expected - this.#buffered;
    if (left <= 0) return;
    const letter = letterOf(this.#peek(lengthBytes + 1), this.#at + lengthBytes);
    this.#chunks = [];
    this.#at = 0;
    this.#buffered = 0;
    this.#small = 0;
    this.#skipped = { letter, left };
  }

  /** @throws MilterError for a length that no packet has */
  next(): Packet | undefined {
    if (this.#skipped) return this.#nextSkipped(this.#skipped);
    if (this.#body !== undefined) return this.#piece(this.#body);
    if (this.#buffered < lengthBytes) return undefined;
    const length = this.#peek(lengthBytes).readUInt32BE(this.#at);
    if (length === 0) throw new MilterError('a packet of no bytes');
    if (length > maxPacketBytes) throw new MilterError(`a packet of ${length} bytes, ${maxPacketBytes} are allowed`);
    if (this.#buffered === lengthBytes) return undefined;
    if (this.#peek(lengthBytes + 1)[this.#at + lengthBytes] === bodyLetter) {
      this.#advance(lengthBytes + 1);
      return this.#piece(length - 1);
    }
    if (this.#buffered < lengthBytes + length) return undefined;
    const bytes = this.#peek(lengthBytes + length);
    const start = this.#at + lengthBytes;
    const data = bytes.subarray(start + 1, start + length);
    this.#advance(lengthBytes + length);
    return { letter: letterOf(bytes, start), data, more: false, skipped: false };
  }

  /** What is there of a packet of body. */
  #piece(left: number): Packet | undefined {
    this.#body = left;
    const first = this.#chunks[0] ?? noBytes;
    const data = first.subarray(this.#at, this.#at + left);
    if (data.length === 0 && left > 0) return undefined;
    if (data.length > 0) this.#advance(data.length);
    const more = data.length < left;
    this.#body = more ? left - data.length : undefined;
    return { letter: commandByte.body, data, more, skipped: false };
  }

  #nextSkipped({ letter, left }: { readonly letter: string; readonly left: number }): Packet | undefined {
    if (left > 0) return undefined;
    this.#skipped = undefined;
    return { letter, data: noBytes, more: false, skipped: true };
  }

  /** A chunk that has so many bytes, which are there, from `#at` on. */
  #peek(count: number): Buffer {
    const first = this.#chunks[0]!;
    if (first.length - this.#at >= count) return first;
    // Joined once, however many chunks of one byte there are: what is joined stays joined.
    const joined = Buffer.concat([first.subarray(this.#at), ...this.#chunks.slice(1)]);
    this.#chunks = [joined];
    this.#at = 0;
    this.#small = 0;
    return joined;
  }

  /** These bytes of the first chunk were taken. */
  #advance(count: number): void {
    this.#buffered -= count;
    this.#at += count;
    if (this.#at < this.#chunks[0]!.length) return;
    this.#chunks.shift();
    this.#at = 0;
    this.#small = Math.min(this.#small, this.#chunks.length);
  }
}

const letterOf = (bytes: Buffer, at: number): string => String.fromCharCode(bytes[at]!);
