import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { DetachInstance } from '../../harness/detach-mta.ts';
import { startHaproxy } from '../../harness/haproxy.ts';
import { freePort } from '../../harness/ports.ts';
import type { PostfixInstance } from '../../harness/postfix.ts';
import { Scenario } from '../../harness/scenario.ts';
import { startSink } from '../../harness/sink.ts';
import { waitFor } from '../../harness/wait.ts';
import { PlainFilter } from '../../harness/plain-filter.ts';
import * as topology from './topology.ts';

const alice = 'alice@home.example';
const bob = 'bob@far.example';

/** Lets A send a letter to its relayhost, and waits until A has put it off. @returns why */
async function sendAndDefer(a: PostfixInstance): Promise<string> {
  await topology.send(topology.letter(a.port, alice, [bob]));
  const [entry] = await a.waitForQueue((queue) => queue[0]?.recipients[0]?.delay_reason !== undefined, 'deferred');
  return entry?.recipients[0]?.delay_reason ?? '';
}

async function assertToldWhatToFix(filter: DetachInstance): Promise<void> {
  assert.deepEqual(topology.fences(filter), ['mirror']);
  assert.match((await filter.metrics()).text, /loops_total\{[^}]*fence="mirror"\} 1\n/);
  const line = filter.events.find(({ event }) => event === 'next-hop-is-this-relay');
  assert.equal(line?.level, 'error');
  assert.match(String(line['fix']), /outbound\.nextHop/);
}

/** The configuration is corrected and the filter started again: the mail that waited goes its way. */
async function correct(filter: DetachInstance, wrong: number, right: number): Promise<void> {
  const config = readFileSync(filter.configFile, 'utf8');
  writeFileSync(filter.configFile, config.replace(new RegExp(`(nextHop:\\s+- [a-z0-9.]+):${wrong}`), `$1:${right}`));
  await filter.restart();
}

for (const host of ['127.0.0.1', 'localhost']) {
  test(`the next hop is the filter itself, as ${host}: refused when the session opens, nothing is lost`, async (t) => {
    const scenario = new Scenario(t);
    const mailboxes = await topology.startMailboxes(scenario);
    const port = await freePort();
    const filter = await topology.startFilter(scenario, { port, nextHop: [`${host}:${port}`] });
    const a = await topology.startServer(scenario, { name: 'a', mailboxes, relay: filter.port });
    assert.match(
      await sendAndDefer(a),
      /451 4\.3\.5 mail system configuration error: next hop leads back to this relay/,
    );
    assert.equal(topology.transactions(filter).length, 1, 'the filter never said MAIL to itself');
    await assertToldWhatToFix(filter);

    const b = await topology.startServer(scenario, { name: 'b', domains: ['far.example'], mailboxes });
    await correct(filter, port, b.port);
    await a.flush();
    await topology.atRest(a, b);
    assert.equal(topology.lettersOf(mailboxes, bob).length, 1);
  });
}

test('the filter itself in a list of next hops is not made up for by the others', async (t) => {
  const scenario = new Scenario(t);
  const mailboxes = await topology.startMailboxes(scenario);
  const port = await freePort();
  const world = await scenario.use(startSink());
  const filter = await topology.startFilter(scenario, {
    port,
    nextHop: [`127.0.0.1:${port}`, `127.0.0.1:${world.port}`],
  });
  const a = await topology.startServer(scenario, { name: 'a', mailboxes, relay: filter.port });
  assert.match(await sendAndDefer(a), /451 4\.3\.5 /);
  assert.equal(world.sessions, 0);
});

test('the next hop is a balancer in front of the same cluster: refused when the session opens', async (t) => {
  const scenario = new Scenario(t);
  const mailboxes = await topology.startMailboxes(scenario);
  const balancerPort = await freePort();
  const counter = await scenario.use(PlainFilter.start({ target: balancerPort }));
  const loopguard = topology.cluster('balanced');
  const replicas = [
    await topology.startFilter(scenario, { nextHop: counter.port, loopguard }),
    await topology.startFilter(scenario, { nextHop: counter.port, loopguard }),
  ];
  await scenario.use(startHaproxy({ port: balancerPort, backends: replicas.map(({ port }) => port) }));
  const a = await topology.startServer(scenario, { name: 'a', mailboxes, relay: balancerPort });
  assert.match(await sendAndDefer(a), /451 4\.3\.5 mail system configuration error: next hop leads back to this relay/);
  assert.equal(counter.connections, 1, 'one session was opened, and no round followed');
  assert.equal(topology.transactions(...replicas).length, 1);
  await assertToldWhatToFix(replicas.find((replica) => topology.transactions(replica).length > 0)!);
});

test('two clusters are each other’s next hop: refused at MAIL after one round', async (t) => {
  const scenario = new Scenario(t);
  const mailboxes = await topology.startMailboxes(scenario);
  const [port1, port2] = [await freePort(), await freePort()];
  const to2 = await scenario.use(PlainFilter.start({ target: port2 }));
  const to1 = await scenario.use(PlainFilter.start({ target: port1 }));
  const one = await topology.startFilter(scenario, {
    port: port1,
    nextHop: to2.port,
    loopguard: topology.cluster('one'),
  });
  const two = await topology.startFilter(scenario, {
    port: port2,
    nextHop: to1.port,
    loopguard: topology.cluster('two'),
  });
  const a = await topology.startServer(scenario, { name: 'a', mailboxes, relay: port1 });
  assert.match(
    await sendAndDefer(a),
    /451 4\.3\.5 mail system configuration error: relays call one another in a circle/,
  );
  assert.deepEqual([to2.connections, to1.connections], [1, 1], 'one round');
  assert.equal(topology.transactions(one).length, 2);
  assert.equal(topology.transactions(two).length, 1);
  assert.deepEqual(topology.fences(one), ['chain']);
  const line = one.events.find(({ event }) => event === 'loop-refused');
  assert.equal(line?.level, 'error');
  assert.match(String(line['advice']), /outbound\.nextHop/);

  // The second one's next hop is corrected: what waited goes through both.
  const b = await topology.startServer(scenario, { name: 'b', domains: ['far.example'], mailboxes });
  await correct(two, to1.port, b.port);
  await a.flush();
  await topology.atRest(a, b);
  assert.equal(topology.lettersOf(mailboxes, bob).length, 1);
});

test('three clusters in a ring: refused at MAIL after one round', async (t) => {
  const scenario = new Scenario(t);
  const mailboxes = await topology.startMailboxes(scenario);
  const ports = [await freePort(), await freePort(), await freePort()] as const;
  const ring = [
    await topology.startFilter(scenario, { port: ports[0], nextHop: ports[1], loopguard: topology.cluster('one') }),
    await topology.startFilter(scenario, { port: ports[1], nextHop: ports[2], loopguard: topology.cluster('two') }),
    await topology.startFilter(scenario, { port: ports[2], nextHop: ports[0], loopguard: topology.cluster('three') }),
  ];
  const a = await topology.startServer(scenario, { name: 'a', mailboxes, relay: ports[0] });
  assert.match(await sendAndDefer(a), /451 4\.3\.5 /);
  assert.deepEqual(
    ring.map((filter) => topology.transactions(filter).length),
    [2, 1, 1],
  );
});

test('two clusters are each other’s next hop, without a guard: sessions without end', async (t) => {
  const scenario = new Scenario(t);
  const mailboxes = await topology.startMailboxes(scenario);
  const ports = [await freePort(), await freePort()] as const;
  const one = await scenario.use(PlainFilter.start({ port: ports[0], target: ports[1] }));
  await scenario.use(PlainFilter.start({ port: ports[1], target: ports[0] }));
  const a = await topology.startServer(scenario, { name: 'a', mailboxes, relay: one.port });
  await topology.send(topology.letter(a.port, alice, [bob]));
  await waitFor(() => one.connections >= 100, { what: 'a hundred rounds for a single message' });
});
