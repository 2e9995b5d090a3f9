import type { Failure } from '../../smtp/failures.ts';

/**
 * The content of one message between the wire parser, which pushes, and the relay, which reads it once.
 *
 * Holds what came with one read of the socket: `push` answers false unless the reader waits for more, and the parser
 * stops reading until `whenDrained` calls back. Reading ahead would gain nothing, all of this is one thread, and what
 * waits here while the disk is slow grows old and is collected late.
 */
export class BodyStream implements AsyncIterableIterator<Buffer> {
  #chunks: Buffer[] = [];
  #next = 0;
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
      if (this.#reader) this.#answer({ value: chunk, done: false });
      else this.#chunks.push(chunk);
    }
    return this.#reader !== undefined;
  }

  /** Called once, when all was read and more is asked for, or when nobody will read any more. */
  whenDrained(callback: () => void): void {
    if (this.#reader || this.#discarding || this.#failure) callback();
    else this.#onDrain = callback;
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
      return Promise.resolve({ value: chunk, done: false });
    }
    if (this.#ended || this.#discarding) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      this.#drained();
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

  #clear(): void {
    this.#chunks = [];
    this.#next = 0;
    this.#drained();
  }

  #drained(): void {
    const onDrain = this.#onDrain;
    this.#onDrain = undefined;
    onDrain?.();
  }
}
