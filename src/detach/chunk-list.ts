/** Chunks that are checked, and joined if they are small, as one group. */
const groupSize = 64;

/** Groups with fewer bytes become one chunk. */
const maxGroupBytes = 64 * 1024;

/**
 * The first chunks of a message. A client can send one byte at a time, and a buffer for each byte takes a hundred times
 * its memory, so small chunks are joined.
 */
export class ChunkList {
  readonly #chunks: Buffer[] = [];
  /** Chunks and bytes that came since the last look. */
  #recent = 0;
  #recentBytes = 0;
  /** Bytes in all. */
  length = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
    this.#recent += 1;
    this.#recentBytes += chunk.length;
    if (this.#recent < groupSize) return;
    if (this.#recentBytes < maxGroupBytes) this.#chunks.push(Buffer.concat(this.#chunks.splice(-groupSize)));
    this.#recent = 0;
    this.#recentBytes = 0;
  }

  /** The first `length` bytes, by default all. Not copied where the first chunk has all of them. */
  join(length = this.length): Buffer {
    const [first] = this.#chunks;
    if (first && first.length >= length) return length === first.length ? first : first.subarray(0, length);
    return Buffer.concat(this.#chunks, length);
  }

  /** The chunks; the list is empty afterwards. */
  take(): Buffer[] {
    this.length = 0;
    this.#recent = 0;
    this.#recentBytes = 0;
    return this.#chunks.splice(0);
  }
}
