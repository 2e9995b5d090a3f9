const firstBytes = 4096;

/**
 * The header block, built field by field in one buffer that doubles: an object for each field would take fifty times
 * the bytes of short ones.
 */
export class HeaderBuilder {
  readonly #maxBytes: number;
  #bytes = Buffer.allocUnsafe(firstBytes);
  #length = 0;
  #full = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A field did not fit; what was built is of no use. */
  get full(): boolean {
    return this.#full;
  }

  /** `value`: lines separated by LF; `space`: what the server took away behind the colon. */
  add(name: Buffer, value: Buffer, space: string): void {
    const lines = value.includes(0x0a)
      ? Buffer.from(value.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
      : value;
    const length = name.length + 1 + space.length + lines.length + 2;
    if (this.#full || this.#length + length > this.#maxBytes) {
      this.#full = true;
      return;
    }
    this.#reserve(length);
    this.#append(name);
    this.#append(Buffer.from(`:${space}`));
    this.#append(lines);
    this.#append(crlf);
  }

  /** Lines ended by CRLF. */
  build(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
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

const crlf = Buffer.from('\r\n');
