import type { Address, Filter, Network, Route, Server } from './network.ts';

/**
 * Every network of up to three servers and two recipients, up to the names of the servers (mail always starts at the
 * first one, where the sender has a mailbox): every route of every server, direct, by another server or by a filter
 * in front of any server, its own included; a hop that strips headers at every place, and none; every home of both
 * recipients; each of them a mailbox, an alias of the other, or both; mail for one and for both of them. All filters
 * are of one cluster. The aliases are those that Postfix itself does not watch.
 */
export function* enumerate(): Iterable<Network> {
  for (const count of [1, 2, 3]) yield* enumerateServers(count);
}

/** The same networks, each with a Milter of that cluster at every place. */
export function* enumerateWithMilter(): Iterable<Network> {
  for (const network of enumerate())
    for (const at of network.servers.keys()) {
      const milter = { cluster: 0, signsWith: at === 1 ? 1 : 0 } as const;
      yield { ...network, servers: network.servers.map((server, i) => (i === at ? { ...server, milter } : server)) };
    }
}

const senderIndex = 0;
/** The recipients, and a mailbox for what an alias keeps. */
const U = 1;
const V = 2;

function* enumerateServers(count: number): Iterable<Network> {
  for (const ways of tuples(waysOut(count), count)) {
    for (let strips = -1; strips < count; strips += 1) {
      const built = build(ways, strips);
      for (const [home, other] of tuples([...Array(count).keys()], 2)) {
        for (const [u, v] of tuples(kinds, 2)) {
          const addresses: readonly Address[] = [
            { kind: 'mailbox', home: 0 },
            entry(u!, home!, V, keptU),
            entry(v!, other!, U, keptV),
            { kind: 'mailbox', home: home! },
            { kind: 'mailbox', home: other! },
          ];
          for (const recipients of [[U], [U, V]]) {
            const message = { origin: 0, sender: senderIndex, recipients, has: { messageId: true, date: true } };
            yield { ...built, clusters: [{ maxPasses: 1 }], addresses, message };
          }
        }
      }
    }
  }
}

const keptU = 3;
const keptV = 4;

const kinds = ['mailbox', 'alias', 'both'] as const;

function entry(kind: (typeof kinds)[number], home: number, other: number, kept: number): Address {
  if (kind === 'mailbox') return { kind, home };
  return { kind: 'virtual', home, targets: kind === 'alias' ? [other] : [kept, other] };
}

type Way = { readonly to: 'home' } | { readonly to: 'server' | 'filter'; readonly index: number };

function waysOut(count: number): readonly Way[] {
  const indexes = [...Array(count).keys()];
  return [
    { to: 'home' },
    ...indexes.map((index) => ({ to: 'server' as const, index })),
    ...indexes.map((index) => ({ to: 'filter' as const, index })),
  ];
}

/** A filter per server that has one; which server is behind it is what differs. */
function build(ways: readonly Way[], strips: number): { servers: readonly Server[]; filters: readonly Filter[] } {
  const filters: Filter[] = [];
  const servers = ways.map((way, at): Server => {
    let route: Route = way;
    if (way.to === 'filter') {
      filters.push({ cluster: 0, signsWith: at === 1 ? 1 : 0, next: { to: 'server', index: way.index } });
      route = { to: 'filter', index: filters.length - 1 };
    }
    return { route, strips: at === strips, addsMissing: false, rewritesFrom: false, splits: false };
  });
  return { servers, filters };
}

function* tuples<T>(values: readonly T[], length: number): Iterable<readonly T[]> {
  if (length === 0) yield [];
  else for (const rest of tuples(values, length - 1)) for (const value of values) yield [...rest, value];
}
