import type { MessageRoom } from '../../limits/message-room.ts';
import { countGarbage } from '../../runtime/minor-collection.ts';
import { Failure } from '../../smtp/failures.ts';
import type { Spool } from './spool.ts';

/** A header up to this size takes no room: honest ones have 2 to 20 KiB. */
const smallHeaderBytes = 64 * 1024;

/** The chunks of a header, and the text made from them. */
const garbagePerByte = 3;

/** Room is taken in steps of this size. */
const stepBytes = 256 * 1024;

/**
 * The room of one header that is not small. A header stays in memory while its message is under way, so it counts
 * twice: for the client's share of the spool, and for the memory of all headers in this process.
 */
export class HeaderRoom implements MessageRoom {
  readonly #spool: Spool;
  readonly #client: string | undefined;
  #inMemory = 0;
  #ofShare = 0;
  #released = false;

  constructor(spool: Spool, client?: string) {
    this.#spool = spool;
    this.#client = client;
  }

  /**
   * The header has so many bytes by now.
   * @throws Failure spoolFull
   */
  grow(length: number): void | Promise<void> {
    if (length <= smallHeaderBytes || length <= this.#ofShare) return;
    const bytes = Math.ceil((length - this.#ofShare) / stepBytes) * stepBytes;
    if (!this.#spool.claimHeader(bytes))
      throw new Failure('spoolFull', { reason: 'large headers of other messages take all the memory for headers' });
    this.#inMemory += bytes;
    const refusal = this.#spool.reserve(bytes, this.#client);
    if (refusal instanceof Promise) return refusal.then((late) => this.#isReserved(bytes, late));
    this.#isReserved(bytes, refusal);
  }

  /** The header is not needed any more. May be called again. */
  release(): void {
    this.#released = true;
    countGarbage(garbagePerByte * this.#inMemory);
    this.#spool.giveHeader(this.#inMemory);
    this.#inMemory = 0;
    if (this.#ofShare > 0) this.#spool.free(this.#ofShare, this.#client);
    this.#ofShare = 0;
  }

  #isReserved(bytes: number, failure: Failure | undefined): void {
    if (failure) throw failure;
    this.#ofShare += bytes;
    // The message ended while other processes were asked.
    if (this.#released) this.release();
  }
}
