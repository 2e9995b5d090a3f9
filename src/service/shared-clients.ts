import type { Admission, ClientLimits } from '../inbound/client-limits.ts';
import type { KeyedQuota, Quota } from '../limits/quota.ts';
import { after } from './after.ts';
import type { SharedLimits } from './shared-limits.ts';

/** Counts clients for the service as a whole. */
export class SharedClients implements ClientLimits {
  readonly #all: Quota;
  readonly #perAddress: KeyedQuota;

  constructor(limits: Pick<SharedLimits, 'quota' | 'keyed'>) {
    this.#all = limits.quota('clients');
    this.#perAddress = limits.keyed('clientsPerAddress');
  }

  /** The own places of an address come first: those that it asks for in vain are never missing to others. */
  enter(address: string): Admission | Promise<Admission> {
    const own = this.#perAddress.of(address);
    return after(own.tryTake(1), (place) =>
      place ? this.#enterAmongAll(own) : { kind: 'refused', failure: 'tooManyClientsFromAddress' },
    );
  }

  #enterAmongAll(own: Quota): Admission | Promise<Admission> {
    return after(this.#all.tryTake(1), (place) => {
      if (!place) own.give(1);
      return place
        ? { kind: 'admitted', leave: () => this.#leave(own) }
        : { kind: 'refused', failure: 'tooManyClients' };
    });
  }

  #leave(own: Quota): void {
    own.give(1);
    this.#all.give(1);
  }
}
