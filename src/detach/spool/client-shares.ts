import { ClientUse } from '../../limits/client-use.ts';

/**
 * What each client holds of the spool, by its address. While another client is present, none may hold more than half of
 * the spool: slow uploads of one client leave room for the mail of the others. Only where half is less than the largest
 * message it is as much as that: a message that never fits would be deferred until it bounces. A client that has been
 * alone may hold all; what it holds beyond its share when another one comes is refused at its next block, and Postfix sends that
 * message again.
 */
export class ClientShares {
  readonly #maxBytes: number;
  readonly #inCompany: number;
  readonly #use: ClientUse;

  constructor(maxBytes: number, { maxMessageBytes = 0, now }: { maxMessageBytes?: number; now?: () => number } = {}) {
    this.#maxBytes = maxBytes;
    this.#inCompany = Math.min(maxBytes, Math.max(Math.floor(maxBytes / 2), maxMessageBytes));
    this.#use = new ClientUse(now);
  }

  /** Notes that the client is here. @returns how much it may hold in all */
  shareOf(client: string): number {
    return this.#use.hasCompany(client) ? this.#inCompany : this.#maxBytes;
  }

  heldBy(client: string): number {
    return this.#use.of(client);
  }

  take(client: string, bytes: number): void {
    this.#use.add(client, bytes);
  }
}
