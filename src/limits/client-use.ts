/** How long a client that used something counts as present afterwards. */
const presentMs = 24 * 60 * 60_000;

/** Clients that are remembered although they use nothing. Beyond it the one that was absent longest is forgotten. */
const maxRemembered = 1000;

interface Account {
  used: number;
  /** When it last asked, in ms of a monotonic clock. */
  seen: number;
}

/** How much each client uses of something, by its address, and whether it has company. */
export class ClientUse {
  readonly #now: () => number;
  /** The one that asked longest ago comes first. */
  readonly #accounts = new Map<string, Account>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  of(client: string): number {
    return this.#accounts.get(client)?.used ?? 0;
  }

  /** A negative amount gives back. */
  add(client: string, amount: number): void {
    const account = this.#accounts.get(client);
    if (account) account.used += amount;
    else this.#accounts.set(client, { used: amount, seen: this.#now() });
  }

  /** Notes that the client is here. @returns whether others are, too */
  hasCompany(client: string): boolean {
    const now = this.#now();
    const used = this.of(client);
    this.#accounts.delete(client);
    this.#accounts.set(client, { used, seen: now });
    this.#forget();
    for (const [other, account] of this.#accounts)
      if (other !== client && (account.used > 0 || now - account.seen < presentMs)) return true;
    return false;
  }

  #forget(): void {
    if (this.#accounts.size <= maxRemembered) return;
    for (const [client, { used }] of this.#accounts) {
      if (used > 0) continue;
      this.#accounts.delete(client);
      return;
    }
  }
}
