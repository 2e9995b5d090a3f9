/** Chunks that are looked at together. */
const groupSize = 64;

/** Groups with fewer bytes become one chunk. */
const maxGroupBytes = 64 * 1024;

/**
 * The chunks of a beginning, as they came. A client can send a byte at a time, and a buffer for each byte would take a
 * hundred times its memory: small chunks are joined.
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

  /** The first bytes, all unless told otherwise; of a single chunk no copy. */
  join(length = this.length): Buffer {
    const [only, ...others] = this.#chunks;
    if (only && others.length === 0) return length === only.length ? only : only.subarray(0, length);
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
