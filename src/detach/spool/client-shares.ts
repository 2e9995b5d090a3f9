/** How long a client that sent a message with a use for the spool counts as present afterwards. */
const presentMs = 24 * 60 * 60_000;

/**
 * Clients that are remembered although they hold nothing. Beyond this number the one that was absent longest is
 * forgotten.
 */
const maxRemembered = 1000;

interface Account {
  bytes: number;
  /** When it last asked for room, in ms of a monotonic clock. */
  seen: number;
}

/**
 * What each client holds of the spool, by its address. While another client is present, none may hold more than half of
 * the spool: slow uploads of one client leave room for the mail of the others. A client that has been alone may hold
 * all; what it holds beyond its share when another one comes is refused at its next block, and Postfix sends that
 * message again.
 */
export class ClientShares {
  readonly #maxBytes: number;
  readonly #now: () => number;
  /** The one that asked longest ago comes first. */
  readonly #accounts = new Map<string, Account>();

  constructor(maxBytes: number, now: () => number = () => performance.now()) {
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  /** Notes that the client is here. @returns how much it may hold in all */
  shareOf(client: string): number {
    const now = this.#now();
    const bytes = this.#accounts.get(client)?.bytes ?? 0;
    this.#accounts.delete(client);
    this.#accounts.set(client, { bytes, seen: now });
    this.#forget();
    return this.#othersThan(client, now) ? Math.floor(this.#maxBytes / 2) : this.#maxBytes;
  }

  heldBy(client: string): number {
    return this.#accounts.get(client)?.bytes ?? 0;
  }

  take(client: string, bytes: number): void {
    const account = this.#accounts.get(client);
    if (account) account.bytes += bytes;
    else this.#accounts.set(client, { bytes, seen: this.#now() });
  }

  #othersThan(client: string, now: number): boolean {
    for (const [other, { bytes, seen }] of this.#accounts)
      if (other !== client && (bytes > 0 || now - seen < presentMs)) return true;
    return false;
  }

  #forget(): void {
    if (this.#accounts.size <= maxRemembered) return;
    for (const [client, { bytes }] of this.#accounts) {
      if (bytes > 0) continue;
      this.#accounts.delete(client);
      return;
    }
  }
}
