const firstBytes = 4096;

export interface HeaderLimits {
  readonly maxHeaderBytes: number;
  readonly maxHeaderFields: number;
}

/**
 * The header block, built field by field in one buffer that doubles: an object for each field would take fifty times
 * the bytes of short ones.
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

  /** `value`: lines separated by LF; `space`: what the server took away behind the colon. */
  add(name: Buffer, value: Buffer, space: '' | ' '): void {
    const lines = value.includes(lf) ? withCrlf(value) : value;
    const { maxHeaderBytes, maxHeaderFields } = this.#limits;
    const length = name.length + 1 + space.length + lines.length + 2;
    if (this.#full || this.#length + length > maxHeaderBytes || this.#fields >= maxHeaderFields) {
      this.drop();
      return;
    }
    this.#fields += 1;
    this.#reserve(length);
    this.#append(name);
    this.#append(space === '' ? colon : colonSpace);
    this.#append(lines);
    this.#append(crlf);
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

  #reserve(bytes: number): void {
    let size = this.#bytes.length;
    while (size < this.#length + bytes) size *= 2;
    if (size === this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(size);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  #append(bytes: Buffer): void {
    bytes.copy(this.#bytes, this.#length);
    this.#length += bytes.length;
  }
}

const cr = 0x0d;
const lf = 0x0a;

/** Byte by byte: a pattern holds the event loop for half a second where a field has 600,000 lines. */
function withCrlf(value: Buffer): Buffer {
  let bare = 0;
  for (let at = 0; at < value.length; at++) if (value[at] === lf && value[at - 1] !== cr) bare++;
  if (bare === 0) return value;
  const lines = Buffer.allocUnsafe(value.length + bare);
  let to = 0;
  for (let at = 0; at < value.length; at++) {
    if (value[at] === lf && value[at - 1] !== cr) lines[to++] = cr;
    lines[to++] = value[at]!;
  }
  return lines;
}

const crlf = Buffer.from('\r\n');
const colon = Buffer.from(':');
const colonSpace = Buffer.from(': ');
