import { callEnds, targetsOf, type Network } from './network.ts';

/** What would become of a message for one address if somebody who sees the whole network led it by the hand. */
export interface Reach {
  /** Mailboxes at the end of a way without a loop. */
  readonly mailboxes: ReadonlySet<number>;
  /** Whether every way is without a loop. */
  readonly loopFree: boolean;
}

/**
 * Follows every way that mail for `address` takes from a server. A way is without a loop when no server sees the same
 * address twice on it, and no cluster passes it more often than allowed.
 */
export function reach(network: Network, server: number, address: number): Reach {
  const mailboxes = new Set<number>();
  let loopFree = true;

  /** From elsewhere: a Milter there counts as a pass of its cluster. */
  const arrive = (at: number, who: number, way: readonly string[]): void => {
    const { milter } = network.servers[at]!;
    if (!milter) {
      atServer(at, who, way);
      return;
    }
    const place = `cluster ${milter.cluster}: ${who}`;
    if (way.filter((one) => one === place).length >= network.clusters[milter.cluster]!.maxPasses) loopFree = false;
    else atServer(at, who, [...way, place]);
  };

  const atServer = (at: number, who: number, way: readonly string[]): void => {
    const place = `server ${at}: ${who}`;
    if (way.includes(place)) {
      loopFree = false;
      return;
    }
    const here = [...way, place];
    const entry = network.addresses[who]!;
    if (entry.home !== at) {
      const { route } = network.servers[at]!;
      if (route.to === 'home') arrive(entry.home, who, here);
      else if (route.to === 'server') arrive(route.index, who, here);
      else if (callEnds(network, route.index)) atFilter(route.index, who, here);
      else loopFree = false;
    } else if (entry.kind === 'mailbox') mailboxes.add(who);
    else for (const target of targetsOf(entry)) atServer(at, target, here);
  };

  const atFilter = (at: number, who: number, way: readonly string[]): void => {
    const { cluster, next } = network.filters[at]!;
    const place = `cluster ${cluster}: ${who}`;
    if (way.filter((one) => one === place).length >= network.clusters[cluster]!.maxPasses) {
      loopFree = false;
      return;
    }
    const here = [...way, place];
    if (next.to === 'server') arrive(next.index, who, here);
    else atFilter(next.index, who, here);
  };

  arrive(server, address, []);
  return { mailboxes, loopFree };
}
