/**
 * A minimal network of mail servers that can loop: which server hosts which address, what an address expands to there,
 * and where mail for other addresses goes. Servers, filters, clusters and addresses are named by their index.
 */
export interface Network {
  readonly servers: readonly Server[];
  readonly filters: readonly Filter[];
  readonly clusters: readonly { readonly maxPasses: number }[];
  readonly addresses: readonly Address[];
  readonly message: Message;
}

/** Like Postfix: an address of its own domain is looked up, all others take one route. */
export interface Server {
  readonly route: Route;
  /** Removes all X- fields. */
  readonly strips: boolean;
  /** Adds a missing Message-ID and Date (Postfix: `always_add_missing_headers`). */
  readonly addsMissing: boolean;
  readonly rewritesFrom: boolean;
  /** A transaction per recipient (Postfix: `default_destination_recipient_limit = 1`). */
  readonly splits: boolean;
  /** Shows what it receives to a Milter of this cluster before it queues it (Postfix: `smtpd_milters`). */
  readonly milter?: { readonly cluster: number; readonly signsWith: 0 | 1 } | undefined;
}

export type Route =
  | { readonly to: 'home' }
  | { readonly to: 'server'; readonly index: number }
  | { readonly to: 'filter'; readonly index: number };

/** One replica of a cluster. All replicas know both keys; they need not sign with the same one. */
export interface Filter {
  readonly cluster: number;
  readonly signsWith: 0 | 1;
  readonly next: { readonly to: 'server' | 'filter'; readonly index: number };
}

export type Address =
  | { readonly kind: 'mailbox' | 'unknown'; readonly home: number }
  /** Rewritten while the message is received (Postfix: virtual(5)). */
  | { readonly kind: 'virtual'; readonly home: number; readonly targets: readonly number[] }
  /** Sent on as a new message with Delivered-To, by which a circle is noticed (Postfix: aliases(5)). */
  | { readonly kind: 'forward'; readonly home: number; readonly targets: readonly number[] }
  /** The same under the reverse-path of its owner. */
  | { readonly kind: 'list'; readonly home: number; readonly targets: readonly number[]; readonly owner: number };

export interface Message {
  readonly origin: number;
  /** undefined: the null reverse-path. */
  readonly sender: number | undefined;
  readonly recipients: readonly number[];
  readonly has: { readonly messageId: boolean; readonly date: boolean };
}

export const targetsOf = (address: Address): readonly number[] => ('targets' in address ? address.targets : []);

/**
 * Whether MAIL gets through the filters that call one another before any of them has a server behind it; the clusters
 * called so far in `chain`. A next hop of the same cluster is refused when the session opens.
 */
export function callEnds(network: Network, filter: number, chain: readonly number[] = []): boolean {
  const { cluster, next } = network.filters[filter]!;
  const { maxPasses } = network.clusters[cluster]!;
  if (chain.filter((one) => one === cluster).length >= maxPasses) return false;
  if (next.to === 'server') return true;
  return network.filters[next.index]!.cluster !== cluster && callEnds(network, next.index, [...chain, cluster]);
}
