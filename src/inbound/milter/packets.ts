import { MilterError } from './milter-error.ts';
import { commandByte, largePacketBytes, maxPacketBytes } from './protocol.ts';

export interface Packet {
  /** One letter. */
  readonly letter: string;
  /**
   * Good until the next packet is asked for: a view of what was received, where it came in one piece. Of fields of a
   * header and of recipients: all packets in a row that have one, with their lengths and letters.
   */
  readonly data: Buffer;
  /** How many packets end here. 0: a piece of a packet of body, the next one has more of the same. */
  readonly ended: number;
  /** Its data was dropped as it came. */
  readonly skipped: boolean;
}

const noBytes = Buffer.alloc(0);

/** Packets of body up to this size are copied byte by byte, where there are several. */
const shortBytes = 64;

/** Of the length of a packet, before its letter. */
export const lengthBytes = 4;

const bodyLetter = commandByte.body.charCodeAt(0);
const headerLetter = commandByte.header.charCodeAt(0);
const rcptLetter = commandByte.rcpt.charCodeAt(0);

/** Packets with these letters come in rows. */
const inRows = (letter: number | undefined): boolean => letter === headerLetter || letter === rcptLetter;
const endLetter = commandByte.endOfMessage.charCodeAt(0);

/** For the first bytes of a packet whose length is not known yet. */
const firstBytes = 4096;

/**
 * Cuts a byte stream into packets, wherever its chunks are cut.
 *
 * Buffers at most one packet that is not complete (`maxPacketBytes`), none that is skipped. A packet that comes in several
 * chunks is gathered in one buffer, which the next one uses again: chunks that were kept until their packet was complete
 * became old, and 40 connections left 50 MB of them to V8's next full collection.
 *
 * Read packets with `next` until it has none, then `push` the next chunk. A packet of body is given in the pieces that it
 * comes in, and short ones that are there as a whole are given as one: joining them doubled the CPU time of a message, since most packets of 64 KiB come in two chunks.
 */
export class PacketParser {
  #chunk: Buffer = noBytes;
  /** Bytes of the chunk that were taken. */
  #at = 0;
  /** Holds the beginning of a packet whose end is not there yet. */
  #begun: Buffer = noBytes;
  #gathered = 0;
  /** Bytes of a packet of body that were not given yet; undefined outside of one. */
  #body: number | undefined;
  /** The packet that is dropped as it comes. */
  #skipped: { readonly letter: string; left: number } | undefined;

  push(chunk: Buffer): void {
    if (this.#at < this.#chunk.length) throw new Error('the chunk before was not read to its end');
    const dropped = Math.min(this.#skipped?.left ?? 0, chunk.length);
    if (this.#skipped) this.#skipped.left -= dropped;
    this.#chunk = chunk;
    this.#at = dropped;
  }

  /** Bytes of a packet that has begun and is not complete. */
  get buffered(): number {
    return this.#gathered;
  }

  /** Bytes that the packet which has begun takes when it is complete; 0 when none has, or when it is skipped. */
  get expected(): number {
    return this.#gathered <= lengthBytes ? 0 : lengthBytes + this.#begun.readUInt32BE();
  }

  /** Drops the packet that has begun, as it comes: nothing of it stays in memory but its letter. */
  skip(): void {
    const left = this.expected - this.#gathered;
    if (left <= 0) return;
    this.#skipped = { letter: letterOf(this.#begun, lengthBytes), left };
    this.#begun = noBytes;
    this.#gathered = 0;
  }

  /** @throws MilterError for a length that no packet has */
  next(): Packet | undefined {
    if (this.#skipped) return this.#nextSkipped(this.#skipped);
    if (this.#body !== undefined) return this.#piece(this.#body);
    const [chunk, at] = [this.#chunk, this.#at];
    if (this.#gathered > 0 || chunk.length - at <= lengthBytes) return this.#gather();
    const length = lengthIn(chunk, at);
    if (chunk[at + lengthBytes] === bodyLetter) {
      this.#at += lengthBytes + 1;
      const piece = this.#piece(length - 1);
      return piece?.ended === 1 ? this.#withNext(piece) : piece;
    }
    if (chunk.length - at < lengthBytes + length) return this.#gather();
    if (inRows(chunk[at + lengthBytes])) return this.#row(lengthBytes + length);
    if (chunk[at + lengthBytes] === endLetter) this.#begun = noBytes;
    this.#at += lengthBytes + length;
    return packetIn(chunk, at, length);
  }

  /**
   * All fields, or recipients, that are there as a whole: one by one, fields of three bytes took twelve times what a file
   * does.
   */
  #row(first: number): Packet {
    const [chunk, start] = [this.#chunk, this.#at];
    const letter = chunk[start + lengthBytes]!;
    let end = start + first;
    while (chunk.length - end > lengthBytes && chunk[end + lengthBytes] === letter) {
      const next = end + lengthBytes + lengthIn(chunk, end);
      if (next > chunk.length) break;
      end = next;
    }
    this.#at = end;
    return { letter: String.fromCharCode(letter), data: chunk.subarray(start, end), ended: 1, skipped: false };
  }

  /** The packet that does not lie in one chunk; undefined when its end is not there yet. */
  #gather(): Packet | undefined {
    if (!this.#has(lengthBytes)) return undefined;
    const length = lengthIn(this.#begun, 0);
    if (!this.#has(lengthBytes + 1)) return undefined;
    if (this.#begun[lengthBytes] === bodyLetter) {
      this.#gathered = 0;
      return this.#piece(length - 1);
    }
    if (!this.#has(lengthBytes + length)) return undefined;
    const begun = this.#begun;
    this.#gathered = 0;
    // What comes with the end of a message is body, which is read while the next packet is gathered.
    if (begun[lengthBytes] === endLetter || begun.length > largePacketBytes) this.#begun = noBytes;
    if (inRows(begun[lengthBytes])) {
      const data = begun.subarray(0, lengthBytes + length);
      return { letter: letterOf(begun, lengthBytes), data, ended: 1, skipped: false };
    }
    return packetIn(begun, 0, length);
  }

  /** Gathers until there are so many bytes of the packet. */
  #has(bytes: number): boolean {
    const count = Math.min(bytes - this.#gathered, this.#chunk.length - this.#at);
    if (count > 0) {
      this.#reserve(this.#gathered + count, bytes);
      this.#chunk.copy(this.#begun, this.#gathered, this.#at, this.#at + count);
      this.#gathered += count;
      this.#at += count;
    }
    // A chunk that was read is not kept.
    if (this.#at === this.#chunk.length) [this.#chunk, this.#at] = [noBytes, 0];
    return this.#gathered >= bytes;
  }

  /** Not all that a length promises: whether there is room for the packet is asked when its first chunk was read. */
  #reserve(needed: number, promised: number): void {
    if (needed <= this.#begun.length) return;
    const size = this.#gathered > lengthBytes + 1 ? promised : Math.min(promised, 2 * needed);
    const larger = Buffer.allocUnsafeSlow(Math.max(firstBytes, size));
    this.#begun.copy(larger, 0, 0, this.#gathered);
    this.#begun = larger;
  }

  /** What is there of a packet of body. */
  #piece(left: number): Packet | undefined {
    this.#body = left;
    const data = this.#chunk.subarray(this.#at, this.#at + left);
    if (data.length === 0 && left > 0) return undefined;
    this.#at += data.length;
    const more = data.length < left;
    this.#body = more ? left - data.length : undefined;
    return { letter: commandByte.body, data, ended: more ? 0 : 1, skipped: false };
  }

  /**
   * A packet of body and those right behind it that are there as a whole, copied together: one by one, those of one byte
   * took six times what a file does.
   */
  #withNext(first: Packet): Packet {
    const chunk = this.#chunk;
    let ended = 1;
    let joined = noBytes;
    let length = 0;
    while (chunk.length - this.#at > lengthBytes && chunk[this.#at + lengthBytes] === bodyLetter) {
      const next = this.#at + lengthBytes + lengthIn(chunk, this.#at);
      if (next > chunk.length) break;
      if (ended === 1) {
        joined = Buffer.allocUnsafe(first.data.length + chunk.length - this.#at);
        length = first.data.copy(joined);
      }
      length = append(joined, chunk, { to: length, from: this.#at + lengthBytes + 1, end: next });
      this.#at = next;
      ended += 1;
    }
    if (ended === 1) return first;
    return { letter: commandByte.body, data: joined.subarray(0, length), ended, skipped: false };
  }

  #nextSkipped({ letter, left }: { readonly letter: string; readonly left: number }): Packet | undefined {
    if (left > 0) return undefined;
    this.#skipped = undefined;
    return { letter, data: noBytes, ended: 1, skipped: true };
  }
}

/** Of packets in a row. */
export function countPackets(packets: Buffer): number {
  let count = 0;
  for (let at = 0; at < packets.length; count++) at += lengthBytes + packets.readUInt32BE(at);
  return count;
}

interface Piece {
  readonly to: number;
  readonly from: number;
  readonly end: number;
}

/** @returns where the bytes end after that. Few are copied one by one: `copy` takes longer to begin. */
function append(joined: Buffer, chunk: Buffer, { to, from, end }: Piece): number {
  if (end - from > shortBytes) chunk.copy(joined, to, from, end);
  else for (let at = from; at < end; at++) joined[to + at - from] = chunk[at]!;
  return to + end - from;
}

function packetIn(bytes: Buffer, at: number, length: number): Packet {
  const start = at + lengthBytes;
  return {
    letter: letterOf(bytes, start),
    data: bytes.subarray(start + 1, start + length),
    ended: 1,
    skipped: false,
  };
}

/** @throws MilterError for a length that no packet has */
function lengthIn(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32BE(at);
  if (length === 0) throw new MilterError('a packet of no bytes');
  if (length > maxPacketBytes) throw new MilterError(`a packet of ${length} bytes, ${maxPacketBytes} are allowed`);
  return length;
}

const letterOf = (bytes: Buffer, at: number): string => String.fromCharCode(bytes[at]!);
