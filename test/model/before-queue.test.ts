import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomNumbers } from '../fuzz/random.ts';
import { isVisible, ringOf, run, type BeforeQueueNetwork, type Client, type NextHop } from './before-queue.ts';

const ports = 2;

/** Up to three services and four listeners. */
const networks: fc.Arbitrary<BeforeQueueNetwork> = fc
  .record({ services: fc.integer({ min: 1, max: 3 }), fronts: fc.integer({ min: 1, max: 4 }) })
  .chain(({ services, fronts }) => {
    const service = fc.nat(services - 1);
    const front = fc.nat(fronts - 1);
    const port = fc.integer({ min: 1, max: ports });
    const next: fc.Arbitrary<NextHop> = fc.oneof(
      fc.record({ to: fc.constant('queue' as const), ms: fc.constantFrom(0, 12) }),
      fc.record({ to: fc.constant('front' as const), front }),
    );
    const client: fc.Arbitrary<Client> = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('smtp' as const),
          front,
          port,
          helo: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, service),
          times: fc.integer({ min: 1, max: 3 }),
        }),
      },
      fc.record({
        kind: fc.constant('queue' as const),
        service,
        port,
        ident: fc.constantFrom('queue id' as const, 'mark' as const),
      }),
    );
    return fc.record({
      services: fc.array(fc.record({ processes: fc.integer({ min: 1, max: 3 }), next }), {
        minLength: services,
        maxLength: services,
      }),
      fronts: fc.array(fc.record({ service, takesXforward: fc.boolean() }), { minLength: fronts, maxLength: fronts }),
      clients: fc.array(client, { minLength: 1, maxLength: 6 }),
    });
  });

/** A client that has the port of our session, uses our name, and sends at the same moment. */
const posesAsUs = (client: Client): boolean => client.kind === 'smtp' && client.helo !== undefined;

test('a circle that Postfix lets us see ends after one round; where there is none, nobody is refused', async () => {
  const seen = { circles: 0, none: 0 };
  await fc.assert(
    fc.asyncProperty(networks, fc.nat(), async (network, seed) => {
      const rings = network.services.map((_, service) => ringOf(network, service));
      const { refused, rounds, delivered } = await run(network, randomNumbers(seed));
      if (rings.every((ring) => ring === undefined)) {
        seen.none += 1;
        const sent = network.clients.reduce((sum, client) => sum + (client.kind === 'smtp' ? client.times : 1), 0);
        if (network.clients.some(posesAsUs)) return;
        assert.equal(refused, 0);
        assert.equal(delivered, sent);
      } else if (rings.every((ring) => ring === undefined || isVisible(ring))) {
        seen.circles += 1;
        assert.ok(rounds <= 2, `${rounds} times at one service`);
      }
    }),
    { numRuns: 400, seed: 20_261_128, includeErrorInReport: true },
  );
  assert.ok(seen.circles > 50 && seen.none > 50, JSON.stringify(seen));
});
