import { ClientShares } from './client-shares.ts';

/** Where the bytes in the spool are counted: for one process, or for the service as a whole. */
export interface SpoolSpace {
  /**
   * Takes room for a message, of this client if it is a client's.
   * @returns why there is none, or undefined: it is taken. A promise where others are asked; it never rejects
   */
  take(bytes: number, client: string | undefined): string | undefined | Promise<string | undefined>;
  give(bytes: number, client: string | undefined): void;
}

/** Counts for one process. */
export class CountedSpace implements SpoolSpace {
  readonly #maxBytes: number;
  readonly #shares: ClientShares;
  #used = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#shares = new ClientShares(maxBytes);
  }

  take(bytes: number, client: string | undefined): string | undefined {
    if (client !== undefined) {
      const share = this.#shares.shareOf(client);
      const held = this.#shares.heldBy(client);
      if (held + bytes > share) return `client ${client} holds ${held} bytes of its share of ${share}`;
    }
    if (this.#used + bytes > this.#maxBytes) return `spool holds ${this.#used} of ${this.#maxBytes} bytes`;
    this.#used += bytes;
    if (client !== undefined) this.#shares.take(client, bytes);
    return undefined;
  }

  give(bytes: number, client: string | undefined): void {
    this.#used -= bytes;
    if (client !== undefined) this.#shares.take(client, -bytes);
  }
}
