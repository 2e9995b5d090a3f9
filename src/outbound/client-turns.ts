import { Failure } from '../smtp/failures.ts';

/** How long a client that sent a message counts as present afterwards. */
const presentMs = 24 * 60 * 60_000;

/** Of the sessions, what one client may use while another one is present. */
const maxSharePercent = 80;

/** Clients that are remembered although they use no session; beyond it the one that was absent longest is forgotten. */
const maxRemembered = 1000;

export interface ClientTurnsOptions {
  /** Sessions with the next hop for all clients: this process's part of `outbound.maxConnections`. */
  readonly sessions: number;
  /** How long a client waits for its turn, in ms. */
  readonly patience: number;
  readonly now?: () => number;
}

interface Account {
  using: number;
  /** When it last asked, in ms of a monotonic clock. */
  seen: number;
  /** Its transactions that wait for one of its own to end. */
  readonly waiting: Set<() => void>;
}

/**
 * How many sessions with the next hop each client may use at a time, by its address. While another client is present,
 * none may use more than `maxSharePercent`: transactions of one client that do not end leave sessions for the mail of the
 * others. A client that is alone may use all. What it uses beyond its share when another one comes ends in its own time.
 */
export class ClientTurns {
  readonly #options: ClientTurnsOptions;
  readonly #now: () => number;
  /** The one that asked longest ago comes first. */
  readonly #accounts = new Map<string, Account>();

  constructor(options: ClientTurnsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * At once, or when the client has fewer sessions in use. @returns ends the turn; it is called once
   * @throws Failure nextHopBusy when its sessions stay in use, or the reason of the signal
   */
  enter(client: string, signal: AbortSignal): (() => void) | Promise<() => void> {
    const account = this.#noteOf(client);
    if (account.using < this.#shareOf(client)) return this.#begin(client, account);
    return this.#wait(client, account, signal);
  }

  async #wait(client: string, account: Account, signal: AbortSignal): Promise<() => void> {
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        account.waiting.delete(granted);
      };
      const granted = (): void => {
        leave();
        resolve();
      };
      const refuse = (failure: Failure): void => {
        leave();
        reject(failure);
      };
      const abort = (): void => refuse(Failure.from(signal.reason, 'clientGone'));
      const reason = `client ${client} uses its share of the sessions with the next hop`;
      const timer = setTimeout(() => refuse(new Failure('nextHopBusy', { reason })), this.#options.patience);
      account.waiting.add(granted);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort);
    });
    return this.#ending(client, account);
  }

  #begin(client: string, account: Account): () => void {
    account.using += 1;
    return this.#ending(client, account);
  }

  #ending(client: string, account: Account): () => void {
    return () => {
      const [next] = account.waiting;
      // Its turn passes to the next one, unless others have come and it must become less.
      if (next && account.using <= this.#shareOf(client)) next();
      else account.using -= 1;
    };
  }

  #shareOf(client: string): number {
    if (!this.#othersThan(client)) return Infinity;
    return Math.max(1, Math.floor((this.#options.sessions * maxSharePercent) / 100));
  }

  #othersThan(client: string): boolean {
    const now = this.#now();
    for (const [other, { using, seen }] of this.#accounts)
      if (other !== client && (using > 0 || now - seen < presentMs)) return true;
    return false;
  }

  #noteOf(client: string): Account {
    const account = this.#accounts.get(client) ?? { using: 0, seen: 0, waiting: new Set() };
    account.seen = this.#now();
    this.#accounts.delete(client);
    this.#accounts.set(client, account);
    this.#forget();
    return account;
  }

  #forget(): void {
    if (this.#accounts.size <= maxRemembered) return;
    for (const [client, { using, waiting }] of this.#accounts) {
      if (using > 0 || waiting.size > 0) continue;
      this.#accounts.delete(client);
      return;
    }
  }
}
