import type { Failure } from '../smtp/failures.ts';

/** Bytes that may wait for the reader before the socket is no longer read. */
const HIGH_WATER_MARK = 128 * 1024;

/**
 * The content of one message between the wire parser, which pushes, and the relay, which reads it once.
 *
 * Holds at most HIGH_WATER_MARK plus one chunk; `push` then answers false and the parser stops reading the socket
 * until `onDrain` is called. A failure is kept until all that came before it was read.
 */
export class BodyStream implements AsyncIterableIterator<Buffer> {
  #chunks: Buffer[] = [];
  #next = 0;
  #queued = 0;
  #ended = false;
  #discarding = false;
  #failure: Failure | undefined;
  #reader: { resolve: (result: IteratorResult<Buffer>) => void; reject: (failure: Failure) => void } | undefined;
  #onDrain: (() => void) | undefined;

  get ended(): boolean {
    return this.#ended;
  }

  push(content: readonly Buffer[]): boolean {
    if (this.#discarding || this.#failure) return true;
    for (const chunk of content) {
      this.#queued += chunk.length;
      if (this.#reader) this.#answer({ value: this.#count(chunk), done: false });
      else this.#chunks.push(chunk);
    }
    return this.#queued < HIGH_WATER_MARK;
  }

  /** Called once, when what is queued has been read. */
  whenDrained(callback: () => void): void {
    this.#onDrain = callback;
    this.#checkDrained();
  }

  end(): void {
    this.#ended = true;
    if (this.#chunks.length === this.#next) this.#answer({ value: undefined, done: true });
  }

  /** What was not read yet is dropped: the message cannot be used any more. */
  fail(failure: Failure): void {
    if (this.#failure) return;
    this.#failure = failure;
    this.#clear();
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.reject(failure);
  }

  /** Nobody will read what is left. */
  discard(): void {
    this.#discarding = true;
    this.#clear();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer>> {
    if (this.#failure) return Promise.reject(this.#failure);
    const chunk = this.#chunks[this.#next];
    if (chunk) {
      this.#next += 1;
      if (this.#next === this.#chunks.length) {
        this.#chunks = [];
        this.#next = 0;
      }
      this.#count(chunk);
      return Promise.resolve({ value: chunk, done: false });
    }
    if (this.#ended || this.#discarding) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Buffer>> {
    this.discard();
    return Promise.resolve({ value: undefined, done: true });
  }

  #answer(result: IteratorResult<Buffer>): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.resolve(result);
  }

  #count(chunk: Buffer): Buffer {
    this.#queued -= chunk.length;
    this.#checkDrained();
    return chunk;
  }

  #clear(): void {
    this.#chunks = [];
    this.#next = 0;
    this.#queued = 0;
    this.#checkDrained();
  }

  #checkDrained(): void {
    if (this.#queued > HIGH_WATER_MARK / 2) return;
    const onDrain = this.#onDrain;
    this.#onDrain = undefined;
    onDrain?.();
  }
}
