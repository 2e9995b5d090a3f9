/**
 * A process's side of limits that hold for the whole service. Within what the supervisor has leased to it, it counts by
 * itself; beyond that it asks.
 */
import type { Places } from '../limits/places.ts';
import type { KeyedQuota, Quota } from '../limits/quota.ts';
import type { LimitKey, LimitName, ToProcess, ToSupervisor } from './messages.ts';
import { Requests } from './requests.ts';

type Send = (message: ToSupervisor) => void;
type Recall = Extract<ToProcess, { readonly kind: 'recall' }>;
type Leased = Extract<ToProcess, { readonly kind: 'leased' }>;

/** How much is leased beyond what is needed now, so that the next requests need not ask. */
const spareOf: Readonly<Record<Exclude<LimitName, 'connections'>, number>> = {
  clients: 8,
  clientsPerAddress: 4,
  spool: 16 * 1024 * 1024,
  spoolPerClient: 4 * 1024 * 1024,
};

/** What is leased for a key that nobody uses any more is given back after this long. */
const sweepMs = 5000;

export class SharedLimits {
  readonly #send: Send;
  readonly #grants = new Requests<number>();
  readonly #leases = new Map<string, Lease>();
  readonly connections: SharedPlaces;
  readonly #sweeping: NodeJS.Timeout;

  constructor(send: Send) {
    this.#send = send;
    this.connections = new SharedPlaces(send);
    this.#sweeping = setInterval(() => this.#sweep(), sweepMs);
    this.#sweeping.unref();
  }

  quota(limit: Exclude<LimitName, 'connections'>): Quota {
    return this.#lease({ limit });
  }

  /** One quota for each key; a key that is not used costs nothing. */
  keyed(limit: Exclude<LimitName, 'connections'>): KeyedQuota {
    return {
      of: (key) => ({
        tryTake: (amount) => this.#lease({ limit, of: key }).tryTake(amount),
        give: (amount) => this.#lease({ limit, of: key }).give(amount),
      }),
    };
  }

  leased(message: Leased): void {
    if (!this.connections.leased(message)) this.#grants.answer(message.id, message.amount);
  }

  recall(message: Recall): void {
    if (message.key.limit === 'connections') this.connections.recall(message);
    else this.#send({ kind: 'recalled', id: message.id, key: message.key, amount: this.#takeUnused(message.key) });
  }

  #takeUnused(key: LimitKey): number {
    return this.#leases.get(nameOf(key))?.takeUnused() ?? 0;
  }

  #lease(key: LimitKey): Lease {
    const name = nameOf(key);
    let lease = this.#leases.get(name);
    if (!lease) this.#leases.set(name, (lease = new Lease(key, { send: this.#send, grants: this.#grants })));
    return lease;
  }

  #sweep(): void {
    for (const [name, lease] of this.#leases) {
      if (lease.sweep()) this.#leases.delete(name);
    }
  }
}

/** What this process holds of one limit. */
class Lease implements Quota {
  readonly #key: LimitKey;
  readonly #spare: number;
  readonly #send: Send;
  readonly #grants: Requests<number>;
  #held = 0;
  #used = 0;
  #asking = 0;
  #idle = false;

  constructor(key: LimitKey, { send, grants }: { readonly send: Send; readonly grants: Requests<number> }) {
    this.#key = key;
    this.#spare = key.limit === 'connections' ? 0 : spareOf[key.limit];
    this.#send = send;
    this.#grants = grants;
  }

  tryTake(amount: number): boolean | Promise<boolean> {
    this.#idle = false;
    if (this.#used + amount > this.#held) return this.#askFor(amount);
    this.#used += amount;
    return true;
  }

  give(amount: number): void {
    this.#used -= amount;
    const unused = this.#held - this.#used;
    if (unused <= 2 * this.#spare) return;
    this.#held -= unused - this.#spare;
    this.#send({ kind: 'unlease', key: this.#key, amount: unused - this.#spare });
  }

  /** Gives up what it does not use. @returns how much */
  takeUnused(): number {
    const unused = this.#held - this.#used;
    this.#held = this.#used;
    return unused;
  }

  /** Gives back the lease of a key that was not used since the last time. @returns whether nothing is left of it */
  sweep(): boolean {
    if (this.#used > 0 || this.#asking > 0) return false;
    if (!this.#idle) {
      this.#idle = true;
      return false;
    }
    const amount = this.takeUnused();
    if (amount > 0) this.#send({ kind: 'unlease', key: this.#key, amount });
    return true;
  }

  /** Others may use up the lease before we do. Then we ask once more. */
  async #askFor(amount: number): Promise<boolean> {
    this.#asking += 1;
    try {
      for (;;) {
        const need = this.#used + amount - this.#held;
        const granted = await this.#grants.ask((id) =>
          this.#send({ kind: 'lease', id, key: this.#key, need, want: need + this.#spare, patient: false }),
        );
        this.#held += granted ?? 0;
        if (this.#used + amount <= this.#held) {
          this.#used += amount;
          return true;
        }
        if (!granted) return false;
      }
    } finally {
      this.#asking -= 1;
    }
  }
}

/** Ids of requests for places are negative: those of leases count upwards from 1. */
class SharedPlaces implements Places {
  readonly #send: Send;
  readonly #waiting = new Map<number, () => void>();
  #last = 0;
  /** Places that others wait for and that we promised to give up. */
  #owed = 0;
  onWanted: (count: number) => void = () => undefined;

  constructor(send: Send) {
    this.#send = send;
  }

  get wanted(): boolean {
    return this.#owed > 0;
  }

  request(granted: () => void): () => void {
    const id = --this.#last;
    this.#waiting.set(id, granted);
    this.#send({ kind: 'lease', id, key: { limit: 'connections' }, need: 1, want: 1, patient: true });
    return () => {
      if (this.#waiting.delete(id)) this.#send({ kind: 'withdraw', id });
    };
  }

  free(): void {
    if (this.#owed > 0) this.#owed -= 1;
    this.#send({ kind: 'unlease', key: { limit: 'connections' }, amount: 1 });
  }

  /** @returns false when it answers no request for a place */
  leased({ id, amount }: Leased): boolean {
    if (id >= 0) return false;
    const granted = this.#waiting.get(id);
    this.#waiting.delete(id);
    // Withdrawn while the grant was on its way.
    if (granted) granted();
    else if (amount > 0) this.free();
    return true;
  }

  recall({ amount, owed }: Recall): void {
    if (owed) this.#owed += amount;
    this.onWanted(amount);
  }
}

const nameOf = ({ limit, of = '' }: LimitKey): string => `${limit} ${of}`;
