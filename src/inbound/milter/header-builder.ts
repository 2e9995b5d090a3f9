const firstBytes = 4096;

export interface HeaderLimits {
  readonly maxHeaderBytes: number;
  readonly maxHeaderFields: number;
}

/** A field as it stands in the header block, but for the line end behind it. */
export interface BuiltField {
  readonly name: Buffer;
  readonly colon: Buffer;
  /** Separated by CRLF. */
  readonly lines: Buffer;
}

/** `value`: lines separated by LF; `space`: what the server took away behind the colon. */
export function builtField(name: Buffer, value: Buffer, space: '' | ' '): BuiltField {
  const lines = value.includes(lf) ? withCrlf(value) : value;
  return { name, colon: space === '' ? colon : colonSpace, lines };
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

  /** Bytes of memory that it takes to add this field. */
  growth(field: BuiltField): number {
    return this.#fits(field) ? this.#sizeFor(lengthOf(field)) - this.#bytes.length : 0;
  }

  add(field: BuiltField): void {
    if (!this.#fits(field)) {
      this.drop();
      return;
    }
    this.#fields += 1;
    this.#reserve(lengthOf(field));
    this.#append(field.name);
    this.#append(field.colon);
    this.#append(field.lines);
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

  #fits(field: BuiltField): boolean {
    const { maxHeaderBytes, maxHeaderFields } = this.#limits;
    return !this.#full && this.#length + lengthOf(field) <= maxHeaderBytes && this.#fields < maxHeaderFields;
  }

  #sizeFor(bytes: number): number {
    let size = this.#bytes.length;
    while (size < this.#length + bytes) size *= 2;
    return size;
  }

  #reserve(bytes: number): void {
    const size = this.#sizeFor(bytes);
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
const lengthOf = ({ name, colon, lines }: BuiltField): number =>
  name.length + colon.length + lines.length + crlf.length;
const colon = Buffer.from(':');
const colonSpace = Buffer.from(': ');
