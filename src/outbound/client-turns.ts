import { ClientUse } from '../limits/client-use.ts';
import { Failure } from '../smtp/failures.ts';

/** Of the sessions, what one client may use while another one is present. */
const maxSharePercent = 80;

export interface ClientTurnsOptions {
  /** Sessions with the next hop for all clients: this process's part of `outbound.maxConnections`. */
  readonly sessions: number;
  /** How long a client waits for its turn, in ms. */
  readonly patience: number;
  readonly now?: () => number;
}

/**
 * How many sessions with the next hop each client may use at a time, by its address. While another client is present,
 * none may use more than `maxSharePercent`: transactions of one client that do not end leave sessions for the mail of the
 * others. A client that is alone may use all. When another one comes, sessions beyond the share are not cut.
 */
export class ClientTurns {
  readonly #options: ClientTurnsOptions;
  readonly #use: ClientUse;
  /** Transactions of a client that wait for another one of its own to end. */
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(options: ClientTurnsOptions) {
    this.#options = options;
    this.#use = new ClientUse(options.now);
  }

  /**
   * At once, or when the client has fewer sessions in use. @returns ends the turn; it is called once
   * @throws Failure nextHopBusy when its sessions stay in use, or the reason of the signal
   */
  enter(client: string, signal: AbortSignal): (() => void) | Promise<() => void> {
    if (this.#use.of(client) >= this.#shareOf(client)) return this.#wait(client, signal);
    this.#use.add(client, 1);
    return () => this.#end(client);
  }

  async #wait(client: string, signal: AbortSignal): Promise<() => void> {
    const waiting = this.#waiting.get(client) ?? new Set();
    this.#waiting.set(client, waiting);
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        waiting.delete(granted);
        if (waiting.size === 0) this.#waiting.delete(client);
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
      waiting.add(granted);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort);
    });
    return () => this.#end(client);
  }

  /** The turn passes to the next one, unless others have come and there must be fewer. */
  #end(client: string): void {
    const [next] = this.#waiting.get(client) ?? [];
    if (next && this.#use.of(client) <= this.#shareOf(client)) next();
    else this.#use.add(client, -1);
  }

  #shareOf(client: string): number {
    if (!this.#use.hasCompany(client)) return Infinity;
    return Math.max(1, Math.floor((this.#options.sessions * maxSharePercent) / 100));
  }
}
