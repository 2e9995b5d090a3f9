import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import type { DetachInstance } from '../../harness/detach-mta.ts';
import { startHaproxy } from '../../harness/haproxy.ts';
import { freePort } from '../../harness/ports.ts';
import { Scenario } from '../../harness/scenario.ts';
import * as topology from './topology.ts';

const alice = 'alice@home.example';
const bob = 'bob@far.example';

test('two replicas behind HAProxy: the second one knows the stamp of the first', async (t) => {
  const scenario = new Scenario(t);
  const mailboxes = await topology.startMailboxes(scenario);
  const port = await freePort();
  const loopguard = topology.cluster('pair');
  const replicas = [
    await topology.startFilter(scenario, { nextHop: port, loopguard }),
    await topology.startFilter(scenario, { nextHop: port, loopguard }),
  ];
  const balancer = await scenario.use(startHaproxy({ backends: replicas.map((replica) => replica.port) }));
  const a = await topology.startServer(scenario, {
    name: 'a',
    port,
    domains: ['home.example'],
    mailboxes,
    relay: balancer.port,
    // A session kept open would go to the same replica again.
    settings: { smtp_connection_cache_destinations: '', smtp_connection_cache_on_demand: 'no' },
  });
  const ms = await topology.sendAndSettle(topology.letter(a.port, alice, [bob]), [a]);
  const reports = topology.reportsTo(mailboxes, alice);
  assert.equal(reports.length, 1);
  assert.match(reports[0]!, /554 5\.4\.6 mail forwarding loop for <bob@far\.example>/);
  assert.equal(mailboxes.messages.length, 1);
  for (const replica of replicas) assert.equal(topology.transactions(replica).length, 1, 'each saw it once');
  assert.deepEqual(topology.outcomes(...replicas), ['delivered', 'refused']);
  topology.tell(t, 'two replicas behind HAProxy, guard', {
    arrivals: topology.arrivals(...replicas),
    bounces: reports.length,
    ms,
  });
});

/** Starts the filter again with other keys. */
async function rotate(filter: DetachInstance, keys: readonly string[]): Promise<void> {
  const config = parse(readFileSync(filter.configFile, 'utf8')) as { loopguard: { keys: readonly string[] } };
  config.loopguard.keys = keys;
  writeFileSync(filter.configFile, stringify(config));
  await filter.restart();
}

const [k1, k2] = [topology.newKey('k1'), topology.newKey('k2')];
const rotations: readonly (readonly [what: string, keys: readonly string[], passes: number])[] = [
  ['a new key signs and the old one still verifies: refused when it comes back', [k2, k1], 1],
  ['the old key is gone: one pass more, and no message is refused for it', [k2], 2],
];

for (const [what, keys, passes] of rotations) {
  test(`keys are rotated while a message is on its way round; ${what}`, async (t) => {
    const scenario = new Scenario(t);
    const mailboxes = await topology.startMailboxes(scenario);
    const port = await freePort();
    const filter = await topology.startFilter(scenario, {
      nextHop: port,
      loopguard: { cluster: 'rotated', keys: [k1] },
    });
    const shared = { mailboxes, relay: filter.port };
    const a = await topology.startServer(scenario, { name: 'a', ...shared });
    // B holds what it would relay.
    const b = await topology.startServer(scenario, {
      name: 'b',
      port,
      domains: ['home.example'],
      ...shared,
      settings: { defer_transports: 'smtp' },
    });
    await topology.send(topology.letter(a.port, alice, [bob]));
    await b.waitForQueue((queue) => queue[0]?.queue_name === 'deferred', 'holding the message');
    assert.equal(topology.passes(filter), 1);
    await rotate(filter, keys);
    await b.postconf({ defer_transports: '' });
    await b.flush();
    await topology.atRest(a, b);
    assert.equal(topology.reportsTo(mailboxes, alice).length, 1);
    assert.equal(mailboxes.messages.length, 1);
    assert.equal(topology.passes(filter), passes);
    assert.deepEqual(topology.fences(filter), ['stamp']);
  });
}
