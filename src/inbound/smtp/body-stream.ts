import type { Failure } from '../../smtp/failures.ts';

/**
 * Octets of a piece that the reader is woken for; the last one may be smaller. A client that sends an octet at a time
 * would otherwise make a buffer object for each, in a reader that keeps what it was given.
 */
const minPieceOctets = 4096;

/**
 * The content of one message between the wire parser, which pushes, and the relay, which reads it once.
 *
 * Holds what came with one read of the socket, and less than a piece of what came before. `push` answers false unless
 * the reader waits for more; the parser then stops reading until `whenDrained` calls back. Reading ahead would gain
 * nothing, since all of this is one thread, and chunks that wait for a slow disk are promoted to V8's old generation and
 * freed late.
 */
export class BodyStream implements AsyncIterableIterator<Buffer> {
  #chunks: Buffer[] = [];
  #next = 0;
  /** Too small for a piece. A copy as soon as there is more than one chunk in it. */
  #held: Buffer | undefined;
  #heldOctets = 0;
  #ended = false;
  #discarding = false;
  #failure: Failure | undefined;
  #reader: { resolve: (result: IteratorResult<Buffer>) => void; reject: (failure: Failure) => void } | undefined;
  #onDrain: (() => void) | undefined;

  get ended(): boolean {
    return this.#ended;
  }

  push(content: Buffer): boolean {
    if (this.#discarding || this.#failure) return true;
    if (this.#heldOctets + content.length < minPieceOctets) {
      this.#hold(content);
      return true;
    }
    if (content.length < minPieceOctets) {
      this.#hold(content);
      this.#release();
    } else {
      this.#release();
      this.#give(content);
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
    if (!this.#discarding && !this.#failure) this.#release();
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

  #hold(content: Buffer): void {
    if (content.length === 0) return;
    if (this.#heldOctets === 0) this.#held = content;
    else {
      if (this.#held?.length === this.#heldOctets) {
        const room = Buffer.allocUnsafe(2 * minPieceOctets);
        this.#held.copy(room);
        this.#held = room;
      }
      content.copy(this.#held!, this.#heldOctets);
    }
    this.#heldOctets += content.length;
  }

  #release(): void {
    const held = this.#held?.subarray(0, this.#heldOctets);
    this.#held = undefined;
    this.#heldOctets = 0;
    if (held) this.#give(held);
  }

  #give(piece: Buffer): void {
    if (this.#reader) this.#answer({ value: piece, done: false });
    else this.#chunks.push(piece);
  }

  #answer(result: IteratorResult<Buffer>): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.resolve(result);
  }

  #clear(): void {
    this.#chunks = [];
    this.#next = 0;
    this.#held = undefined;
    this.#heldOctets = 0;
    this.#drained();
  }

  #drained(): void {
    const onDrain = this.#onDrain;
    this.#onDrain = undefined;
    onDrain?.();
  }
}
