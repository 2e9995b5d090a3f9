import type { FailureName } from '../smtp/failures.ts';

/**
 * How many connections clients may have, counted for the service as a whole. Connections of strangers are refused
 * before.
 */
export interface ClientLimits {
  /**
   * Takes a place for a connection from this address, an IPv4 address without the IPv6 prefix of a dual-stack socket.
   * Where others do the counting the answer may take a moment; the connection gets no banner before.
   */
  enter(address: string): Admission | Promise<Admission>;
}

export type Admission =
  /** `leave` gives the place back; it is called once. */
  | { readonly kind: 'admitted'; readonly leave: () => void }
  | { readonly kind: 'refused'; readonly failure: Extract<FailureName, `tooManyClients${string}`> };

export interface ClientBounds {
  readonly maxClients: number;
  readonly maxClientsPerAddress: number;
}

/** Counts the connections of one process. */
export class CountedClients implements ClientLimits {
  readonly #bounds: ClientBounds;
  readonly #perAddress = new Map<string, number>();
  #clients = 0;

  constructor(bounds: ClientBounds) {
    this.#bounds = bounds;
  }

  enter(address: string): Admission {
    const { maxClients, maxClientsPerAddress } = this.#bounds;
    const own = this.#perAddress.get(address) ?? 0;
    if (this.#clients >= maxClients) return { kind: 'refused', failure: 'tooManyClients' };
    if (own >= maxClientsPerAddress) return { kind: 'refused', failure: 'tooManyClientsFromAddress' };
    this.#clients += 1;
    this.#perAddress.set(address, own + 1);
    return { kind: 'admitted', leave: () => this.#leave(address) };
  }

  #leave(address: string): void {
    const left = (this.#perAddress.get(address) ?? 0) - 1;
    this.#clients -= 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }
}
