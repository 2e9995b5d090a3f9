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

/**
 * What was not used for this long is given back; at once, when another process asks for more than is left. Giving back
 * each time cost the supervisor 0.2 s of CPU per GB of attachments.
 */
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
    this.connections.sweep();
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
  /** The least that was unused at any time since the last sweep. */
  #surplus = 0;

  constructor(key: LimitKey, { send, grants }: { readonly send: Send; readonly grants: Requests<number> }) {
    this.#key = key;
    this.#spare = key.limit === 'connections' ? 0 : spareOf[key.limit];
    this.#send = send;
    this.#grants = grants;
  }

  tryTake(amount: number): boolean | Promise<boolean> {
    if (this.#used + amount > this.#held) return this.#askFor(amount);
    this.#use(amount);
    return true;
  }

  give(amount: number): void {
    this.#used -= amount;
  }

  /** Gives up what it does not use. @returns how much */
  takeUnused(): number {
    const unused = this.#held - this.#used;
    this.#held = this.#used;
    this.#surplus = 0;
    return unused;
  }

  /** Gives back what was not used since the last time. @returns whether nothing is left of it */
  sweep(): boolean {
    const busy = this.#used > 0 || this.#asking > 0;
    const amount = Math.max(0, this.#surplus - (busy ? this.#spare : 0));
    this.#held -= amount;
    this.#surplus = this.#held - this.#used;
    if (amount > 0) this.#send({ kind: 'unlease', key: this.#key, amount });
    return !busy && this.#held === 0;
  }

  #use(amount: number): void {
    this.#used += amount;
    this.#surplus = Math.min(this.#surplus, this.#held - this.#used);
  }

  /**
   * Gives back what is unused and asks for the whole amount, which is granted as a whole or not at all. A request for the
   * missing part alone would go wrong: it makes the supervisor recall unused places, also those of the process that asks.
   */
  async #askFor(amount: number): Promise<boolean> {
    this.#asking += 1;
    try {
      const unused = this.takeUnused();
      if (unused > 0) this.#send({ kind: 'unlease', key: this.#key, amount: unused });
      const granted = await this.#grants.ask((id) =>
        this.#send({ kind: 'lease', id, key: this.#key, need: amount, want: amount + this.#spare, patient: false }),
      );
      this.#held += granted ?? 0;
      // Without a grant as well: an earlier request may have brought more than it needed.
      if (this.#used + amount > this.#held) return false;
      this.#use(amount);
      return true;
    } finally {
      this.#asking -= 1;
    }
  }
}

/** Places that were granted when nobody waited for them any more: at most so many are kept for the next requests. */
const maxSparePlaces = 8;

/** Ids of requests for places are negative: those of leases count upwards from 1. */
class SharedPlaces implements Places {
  readonly #send: Send;
  readonly #waiting = new Map<number, () => void>();
  #last = 0;
  #spare = 0;
  /** Spare ones that no request took since the last sweep. */
  #idle = 0;
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
    if (this.#spare > 0) {
      this.#takeSpare();
      granted();
      return () => undefined;
    }
    const id = --this.#last;
    this.#waiting.set(id, granted);
    this.#send({ kind: 'lease', id, key: { limit: 'connections' }, need: 1, want: 1, patient: true });
    return () => {
      if (this.#waiting.delete(id)) this.#send({ kind: 'withdraw', id });
    };
  }

  free(): void {
    if (this.#owed > 0) this.#owed -= 1;
    this.#giveBack(1);
  }

  /** Gives back what nobody has asked for in a while. */
  sweep(): void {
    const amount = Math.min(this.#idle, this.#spare);
    this.#spare -= amount;
    this.#idle = this.#spare;
    if (amount > 0) this.#giveBack(amount);
  }

  /** @returns false when it answers no request for a place */
  leased({ id, amount }: Leased): boolean {
    if (id >= 0) return false;
    const granted = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (granted) granted();
    else if (amount > 0) this.#keep();
    return true;
  }

  recall({ amount, owed }: Recall): void {
    const spare = Math.min(amount, this.#spare);
    for (let i = 0; i < spare; i++) this.#takeSpare();
    if (spare > 0) this.#giveBack(spare);
    if (spare === amount) return;
    if (owed) this.#owed += amount - spare;
    this.onWanted(amount - spare);
  }

  /**
   * Withdrawn while the grant was on its way: a connection came back first. The next request is likely, and would come
   * too late as well; 35 in 100 small messages asked the supervisor before places were kept.
   */
  #keep(): void {
    if (this.wanted || this.#spare === maxSparePlaces) this.free();
    else this.#spare += 1;
  }

  #takeSpare(): void {
    this.#spare -= 1;
    this.#idle = Math.min(this.#idle, this.#spare);
  }

  #giveBack(amount: number): void {
    this.#send({ kind: 'unlease', key: { limit: 'connections' }, amount });
  }
}

const nameOf = ({ limit, of = '' }: LimitKey): string => `${limit} ${of}`;
