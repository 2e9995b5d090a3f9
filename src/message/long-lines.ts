const lf = 0x0a;

/**
 * Tells whether a stream has a line of more than `maxBytes`, its CRLF not counted. Holds nothing; looks at about one
 * byte in `maxBytes` where lines are short, and the result does not depend on where chunks are cut.
 */
export class LongLines {
  readonly #maxBytes: number;
  /** Bytes since the last line end. */
  #open = 0;
  #found = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get found(): boolean {
    return this.#found;
  }

  push(chunk: Buffer): void {
    if (this.#found) return;
    // Before the chunk, as a negative number, where the line began there.
    let start = -this.#open;
    // The line end of a line that is not too long is one of the bytes from `start` to this one.
    const last = (): number => start + this.#maxBytes + 1;
    while (last() < chunk.length) {
      const end = chunk.lastIndexOf(lf, last());
      if (end < 0 || end < start) {
        this.#found = true;
        return;
      }
      start = end + 1;
    }
    const end = chunk.lastIndexOf(lf);
    this.#open = chunk.length - (end < 0 ? start : Math.max(start, end + 1));
  }
}
