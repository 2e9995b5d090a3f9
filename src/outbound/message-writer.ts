import { setImmediate as nextTurn } from 'node:timers/promises';
import { DotStuffer } from '../smtp/dot-stuffer.ts';
import type { Dialog } from './dialog.ts';

/** Chunks are gathered up to this size: one system call, one TLS record train, one wait for room. */
const blockOctets = 65536;
/** Chunks smaller than this on average are copied together; larger ones are handed to the kernel as they are. */
const copyBelowOctets = 8192;

/**
 * Puts the message on the wire, dots doubled.
 *
 * Holds at most one block; the last one stays here until the final dot, so that a small message leaves together with
 * its dot. `push` returns a promise when a block was full: the caller waits for it before the next chunk.
 */
export class MessageWriter {
  readonly #dialog: Dialog;
  readonly #stuffer = new DotStuffer();
  readonly #timeout: number;
  #block: Buffer[] = [];
  #octets = 0;

  constructor(dialog: Dialog, timeout: number) {
    this.#dialog = dialog;
    this.#timeout = timeout;
  }

  push(chunk: Buffer): Promise<void> | undefined {
    if (chunk.length === 0) return undefined;
    const stuffed = this.#stuffer.push(chunk);
    this.#block.push(stuffed);
    this.#octets += stuffed.length;
    return this.#octets < blockOctets ? undefined : this.#flush();
  }

  /** The final dot. */
  async end(): Promise<void> {
    this.#block.push(this.#stuffer.end());
    await this.#send();
  }

  /**
   * The event loop gets a turn after each block: a next hop that refuses in the middle closes right after its reply,
   * and a write into the closed connection would make Node drop the reply unread. Others get their turn, too.
   */
  async #flush(): Promise<void> {
    await this.#send();
    await nextTurn();
  }

  #send(): Promise<void> | undefined {
    const block = this.#block;
    const small = block.length > 1 && this.#octets < block.length * copyBelowOctets;
    const chunks = small ? [Buffer.concat(block)] : block;
    this.#block = [];
    this.#octets = 0;
    return this.#dialog.write(chunks, this.#timeout);
  }
}
