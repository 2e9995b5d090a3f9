/**
 * Counts limits for the service as a whole. The supervisor leases parts of each limit to its processes, which count by
 * themselves within their leases. When nothing is left for a process that asks, the others are asked for what they
 * hold unused. What a lost process held returns with its end.
 */
import type { LeaseRequest, LimitKey, ToProcess, ToSupervisor } from './messages.ts';

/** A process that may hold leases. */
export interface Holder {
  send(message: ToProcess): void;
}

/** How long the others may take to give back what they hold unused. */
const recallMs = 300;

/**
 * The part of a limit that a process may be leased beyond its need. With more, few processes would use up a small
 * limit.
 */
const maxSpare = 1 / 16;

interface Waiting {
  readonly holder: Holder;
  readonly request: LeaseRequest;
}

/** One limit, or one key of it. */
interface Account {
  readonly key: LimitKey;
  readonly held: Map<Holder, number>;
  /** Patient requests, in the order they came. */
  queue: Waiting[];
  /** Places that a holder was asked to give up when it can. */
  readonly owed: Map<Holder, number>;
  recall: Promise<void> | undefined;
}

type LedgerMessage = Extract<ToSupervisor, { readonly kind: 'lease' | 'withdraw' | 'unlease' | 'recalled' }>;

export class Ledger {
  /** The limits of the newest configuration: a reload changes them. */
  limitOf: (key: LimitKey) => number;
  readonly #accounts = new Map<string, Account>();
  readonly #holders = new Set<Holder>();
  readonly #recalls = new Map<number, () => void>();
  #lastRecall = 0;

  constructor(limitOf: (key: LimitKey) => number) {
    this.limitOf = limitOf;
  }

  join(holder: Holder): void {
    this.#holders.add(holder);
  }

  /** The process has ended: everything that it held is free again. */
  leave(holder: Holder): void {
    this.#holders.delete(holder);
    for (const account of [...this.#accounts.values()]) {
      account.held.delete(holder);
      account.owed.delete(holder);
      account.queue = account.queue.filter((waiting) => waiting.holder !== holder);
      this.#settle(account);
    }
  }

  receive(holder: Holder, message: LedgerMessage): void {
    switch (message.kind) {
      case 'lease':
        this.#lease(holder, message);
        return;
      case 'withdraw':
        for (const account of this.#accounts.values())
          account.queue = account.queue.filter(
            (waiting) => waiting.holder !== holder || waiting.request.id !== message.id,
          );
        return;
      case 'unlease':
        this.#giveBack(holder, message);
        return;
      case 'recalled':
        this.#giveBack(holder, message);
        this.#recalls.get(message.id)?.();
        return;
      default:
        message satisfies never;
    }
  }

  #lease(holder: Holder, request: LeaseRequest): void {
    const account = this.#account(request.key);
    const waiting = { holder, request };
    if (account.queue.length === 0 && this.#grant(account, waiting)) return;
    if (request.patient) {
      account.queue.push(waiting);
      this.#claim(account, waiting);
      return;
    }
    void this.#recallUnused(account).then(() => {
      if (!this.#holders.has(holder) || this.#grant(account, waiting)) return;
      holder.send({ kind: 'leased', id: request.id, amount: 0 });
      this.#settle(account);
    });
  }

  #grant(account: Account, { holder, request }: Waiting): boolean {
    const limit = this.limitOf(account.key);
    const free = limit - sum(account.held);
    if (free < request.need) return false;
    const amount = Math.min(free, request.want, request.need + Math.floor(limit * maxSpare));
    account.held.set(holder, (account.held.get(holder) ?? 0) + amount);
    holder.send({ kind: 'leased', id: request.id, amount });
    return true;
  }

  #giveBack(holder: Holder, { key, amount }: { readonly key: LimitKey; readonly amount: number }): void {
    const account = this.#account(key);
    account.held.set(holder, Math.max(0, (account.held.get(holder) ?? 0) - amount));
    account.owed.set(holder, Math.max(0, (account.owed.get(holder) ?? 0) - amount));
    this.#settle(account);
  }

  /** Serves the requests that wait, and forgets an account that nobody uses. */
  #settle(account: Account): void {
    for (let next = account.queue[0]; next && this.#grant(account, next); next = account.queue[0])
      account.queue.shift();
    if (account.queue.length === 0 && account.recall === undefined && sum(account.held) === 0)
      this.#accounts.delete(nameOf(account.key));
  }

  /** Asks the others for places: those that they keep unused, and those that they hold beyond their fair share. */
  #claim(account: Account, { holder: claimant, request }: Waiting): void {
    const amount = request.need;
    const fair = Math.max(1, Math.floor(this.limitOf(account.key) / Math.max(1, this.#holders.size)));
    const poor = (account.held.get(claimant) ?? 0) < fair;
    for (const [holder, held] of account.held) {
      if (holder === claimant || held === 0) continue;
      const owes = account.owed.get(holder) ?? 0;
      const owed = poor && held - owes > fair;
      if (owed) account.owed.set(holder, owes + amount);
      holder.send({ kind: 'recall', id: 0, key: account.key, amount, owed });
    }
  }

  /** Every holder gives back what it does not use. One recall at a time: who comes meanwhile waits for the same. */
  #recallUnused(account: Account): Promise<void> {
    account.recall ??= this.#recallFromAll(account).finally(() => (account.recall = undefined));
    return account.recall;
  }

  async #recallFromAll({ key, held }: Account): Promise<void> {
    await Promise.all(
      [...held].filter(([, amount]) => amount > 0).map(([holder, amount]) => this.#recallFrom(holder, { key, amount })),
    );
  }

  #recallFrom(holder: Holder, { key, amount }: { readonly key: LimitKey; readonly amount: number }): Promise<void> {
    const id = ++this.#lastRecall;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#recalls.delete(id);
        resolve();
      };
      const timer = setTimeout(done, recallMs);
      this.#recalls.set(id, done);
      holder.send({ kind: 'recall', id, key, amount, owed: false });
    });
  }

  #account(key: LimitKey): Account {
    const name = nameOf(key);
    let account = this.#accounts.get(name);
    if (!account) {
      account = { key, held: new Map(), queue: [], owed: new Map(), recall: undefined };
      this.#accounts.set(name, account);
    }
    return account;
  }
}

const sum = (held: ReadonlyMap<Holder, number>): number => [...held.values()].reduce((total, each) => total + each, 0);

const nameOf = ({ limit, of = '' }: LimitKey): string => `${limit} ${of}`;
