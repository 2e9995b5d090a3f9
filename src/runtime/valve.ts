import type { Readable } from 'node:stream';

/**
 * Keeps a socket from being read ahead of its consumer.
 *
 * Node goes on reading a socket that is paused until there is a chunk in its buffer. While the disk is slow that chunk
 * is promoted to V8's old generation and freed late, and so are all that come after it. What is not read stays with the
 * sender. The end of a connection is not seen either while the valve is closed.
 *
 * Measured: a megabyte less for each of 20 large messages at a time. To take it out, remove its calls from `inbound/smtp/wire-parser.ts`.
 */
export class Valve {
  #closed = false;
  /** Reads on, where that was asked for in the meantime. */
  #resume: (() => void) | undefined;

  attach(source: Readable): void {
    const push = source.push.bind(source);
    const read = source._read.bind(source);
    // Answered with false, Node stops reading.
    source.push = (chunk: unknown, encoding?: BufferEncoding) => push(chunk, encoding) && !this.#closed;
    source._read = (size) => {
      if (this.#closed) this.#resume = () => read(size);
      else read(size);
    };
  }

  close(): void {
    this.#closed = true;
  }

  open(): void {
    this.#closed = false;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}
