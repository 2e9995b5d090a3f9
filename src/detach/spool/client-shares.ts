import { ClientUse } from '../../limits/client-use.ts';

/**
 * What each client holds of the spool, by its address. While another client is present, none may hold more than half of
 * the spool: slow uploads of one client leave room for the mail of the others. A client that has been alone may hold
 * all; what it holds beyond its share when another one comes is refused at its next block, and Postfix sends that
 * message again.
 */
export class ClientShares {
  readonly #maxBytes: number;
  readonly #use: ClientUse;

  constructor(maxBytes: number, now?: () => number) {
    this.#maxBytes = maxBytes;
    this.#use = new ClientUse(now);
  }

  /** Notes that the client is here. @returns how much it may hold in all */
  shareOf(client: string): number {
    return this.#use.hasCompany(client) ? Math.floor(this.#maxBytes / 2) : this.#maxBytes;
  }

  heldBy(client: string): number {
    return this.#use.of(client);
  }

  take(client: string, bytes: number): void {
    this.#use.add(client, bytes);
  }
}
