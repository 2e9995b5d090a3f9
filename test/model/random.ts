import fc from 'fast-check';
import type { Address, Filter, Message, Network, Route, Server } from './network.ts';

interface Shape {
  readonly servers: number;
  readonly filters: number;
  readonly clusters: number;
  readonly addresses: number;
}

/** Any network of up to five servers, four filters of up to two clusters, and seven addresses. */
export const networks: fc.Arbitrary<Network> = fc
  .record({
    servers: fc.integer({ min: 1, max: 5 }),
    filters: fc.integer({ min: 1, max: 4 }),
    clusters: fc.integer({ min: 1, max: 2 }),
    addresses: fc.integer({ min: 1, max: 7 }),
  })
  .chain((shape) =>
    fc.record({
      servers: many(server(shape), shape.servers),
      filters: many(filter(shape), shape.filters),
      clusters: many(fc.record({ maxPasses: often(1, 2) }), shape.clusters),
      addresses: many(address(shape), shape.addresses),
      message: message(shape),
    }),
  )
  .map(restrained);

const many = <T>(one: fc.Arbitrary<T>, count: number): fc.Arbitrary<T[]> =>
  fc.array(one, { minLength: count, maxLength: count });

const below = (count: number): fc.Arbitrary<number> => fc.nat(count - 1);

/** The first value four times in five. */
const often = <T>(usual: T, rare: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constant(rare) });

function server({ servers, filters, clusters }: Shape): fc.Arbitrary<Server> {
  const route: fc.Arbitrary<Route> = fc.oneof(
    fc.record({ to: fc.constant('home' as const) }),
    fc.record({ to: fc.constant('server' as const), index: below(servers) }),
    { weight: 2, arbitrary: fc.record({ to: fc.constant('filter' as const), index: below(filters) }) },
  );
  const rarely = often(false, true);
  const milter = fc.option(fc.record({ cluster: below(clusters), signsWith: fc.constantFrom<0 | 1>(0, 1) }), {
    nil: undefined,
    freq: 2,
  });
  return fc.record({ route, strips: rarely, addsMissing: rarely, rewritesFrom: rarely, splits: rarely, milter });
}

function filter({ servers, filters, clusters }: Shape): fc.Arbitrary<Filter> {
  const next = fc.oneof(
    { weight: 4, arbitrary: fc.record({ to: fc.constant('server' as const), index: below(servers) }) },
    { weight: 1, arbitrary: fc.record({ to: fc.constant('filter' as const), index: below(filters) }) },
  );
  return fc.record({ cluster: below(clusters), signsWith: fc.constantFrom<0 | 1>(0, 1), next });
}

function address({ servers, addresses }: Shape): fc.Arbitrary<Address> {
  const home = below(servers);
  const targets = fc.uniqueArray(below(addresses), { minLength: 1, maxLength: 2 });
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('mailbox' as const), home }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('virtual' as const), home, targets }) },
    fc.record({ kind: fc.constant('forward' as const), home, targets }),
    fc.record({ kind: fc.constant('list' as const), home, targets, owner: below(addresses) }),
    fc.record({ kind: fc.constant('unknown' as const), home }),
  );
}

function message({ servers, addresses }: Shape): fc.Arbitrary<Message> {
  return fc.record({
    origin: below(servers),
    sender: fc.option(below(addresses), { nil: undefined, freq: 6 }),
    recipients: fc.uniqueArray(below(addresses), { minLength: 1, maxLength: 3 }),
    has: fc.record({ messageId: often(true, false), date: often(true, false) }),
  });
}

/**
 * A virtual alias with two targets doubles the mail on every turn of a circle. A circle without a filter ends only at
 * Postfix's limit, after fifty turns. A circle with a hop that removes our stamps ends at the hop limit after ten turns
 * and a thousand messages. Both take too long for a test, so such an alias is only used where the route leads through a
 * filter and in networks that keep the stamps.
 */
function restrained(network: Network): Network {
  const { has } = network.message;
  const lasting = network.servers.every(
    ({ strips, rewritesFrom }) => !strips && (!rewritesFrom || has.messageId || has.date),
  );
  const addresses = network.addresses.map((entry): Address => {
    if (entry.kind !== 'virtual' || (lasting && network.servers[entry.home]!.route.to === 'filter')) return entry;
    return { ...entry, targets: entry.targets.slice(0, 1) };
  });
  return { ...network, addresses };
}
