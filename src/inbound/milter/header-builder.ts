import { MilterError } from './milter-error.ts';
import { lengthBytes } from './packets.ts';

const firstBytes = 4096;

/** A value up to this size is copied here byte by byte: handing it to `copy` takes longer. */
const shortBytes = 64;

const cr = 0x0d;
const lf = 0x0a;
const colon = 0x3a;
const blank = 0x20;

export interface HeaderLimits {
  readonly maxHeaderBytes: number;
  readonly maxHeaderFields: number;
}

/**
 * The header block, built from the packets of its fields in one buffer that doubles: an object for each field would take
 * fifty times the bytes of short ones, and most of the time of reading them.
 */
export class HeaderBuilder {
  readonly #limits: HeaderLimits;
  #fields = 0;
  #bytes = Buffer.allocUnsafe(firstBytes);
  #length = 0;
  #full = false;

  constructor(limits: HeaderLimits) {
    this.#limits = limits;
  }

  /** A field did not fit; what was built is of no use. */
  get full(): boolean {
    return this.#full;
  }

  /** Bytes of memory. */
  get size(): number {
    return this.#bytes.length;
  }

  /** Bytes of memory that so many bytes of packets take, but for line ends that have no CR. */
  growth(bytes: number): number {
    return this.#full ? 0 : this.#sizeFor(bytes) - this.#bytes.length;
  }

  /**
   * A packet has a name and a value, which end with NUL each; lines of the value are separated by LF.
   * @param space what the server took away behind the colon
   * @returns how many fields there were
   * @throws MilterError for a field that is cut short
   */
  add(packets: Buffer, space: '' | ' '): number {
    let count = 0;
    for (let at = 0; at < packets.length; count++) {
      const start = at + lengthBytes + 1;
      at += lengthBytes + packets.readUInt32BE(at);
      const nameEnd = endOfString(packets, start, at);
      const valueEnd = endOfString(packets, nameEnd + 1, at);
      this.#addName(packets, start, nameEnd);
      if (space === ' ' && !this.#full) this.#bytes[this.#length++] = blank;
      this.#addValue(packets, nameEnd + 1, valueEnd);
    }
    return count;
  }

  /** Lines ended by CRLF. Nothing is added after this: it is a view, not a copy. */
  build(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What was built is not needed, nor what comes. */
  drop(): void {
    this.#full = true;
    this.#length = 0;
    this.#bytes = Buffer.alloc(0);
  }

  /** Leaves room for a blank. */
  #addName(from: Buffer, start: number, end: number): void {
    if (this.#fields >= this.#limits.maxHeaderFields) this.drop();
    if (!this.#reserve(end - start + 2)) return;
    this.#fields += 1;
    this.#append(from, start, end);
    this.#bytes[this.#length++] = colon;
  }

  #addValue(from: Buffer, start: number, end: number): void {
    const bare = bareLineEnds(from, start, end);
    if (!this.#reserve(end - start + bare + 2)) return;
    if (bare === 0) this.#append(from, start, end);
    else this.#appendLines(from, start, end);
    this.#bytes[this.#length++] = cr;
    this.#bytes[this.#length++] = lf;
  }

  #sizeFor(bytes: number): number {
    let size = this.#bytes.length;
    while (size < this.#length + bytes && size < this.#limits.maxHeaderBytes) size *= 2;
    return size;
  }

  /** @returns whether there is room for so many more bytes; if not, all is dropped */
  #reserve(bytes: number): boolean {
    if (this.#full) return false;
    if (this.#length + bytes > this.#limits.maxHeaderBytes) {
      this.drop();
      return false;
    }
    const size = this.#sizeFor(bytes);
    if (size === this.#bytes.length) return true;
    const larger = Buffer.allocUnsafe(size);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
    return true;
  }

  #append(from: Buffer, start: number, end: number): void {
    if (end - start > shortBytes) {
      from.copy(this.#bytes, this.#length, start, end);
      this.#length += end - start;
    } else for (let at = start; at < end; at++) this.#bytes[this.#length++] = from[at]!;
  }

  #appendLines(from: Buffer, start: number, end: number): void {
    for (let at = start; at < end; at++) {
      if (isBareLf(from, start, at)) this.#bytes[this.#length++] = cr;
      this.#bytes[this.#length++] = from[at]!;
    }
  }
}

/** @throws MilterError when there is none within the packet */
function endOfString(packets: Buffer, start: number, packetEnd: number): number {
  for (let at = start; at < packetEnd; at++) if (packets[at] === 0) return at;
  throw new MilterError('header: cut short');
}

/** Byte by byte: a pattern holds the event loop for half a second where a field has 600,000 lines. */
function bareLineEnds(bytes: Buffer, start: number, end: number): number {
  let bare = 0;
  for (let at = start; at < end; at++) if (isBareLf(bytes, start, at)) bare++;
  return bare;
}

const isBareLf = (bytes: Buffer, start: number, at: number): boolean =>
  bytes[at] === lf && (at === start || bytes[at - 1] !== cr);
