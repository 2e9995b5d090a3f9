import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DetachInstance } from '../../harness/detach-mta.ts';
import type { PostfixInstance } from '../../harness/postfix.ts';
import { freePort } from '../../harness/ports.ts';
import { Scenario } from '../../harness/scenario.ts';
import type { Sink } from '../../harness/sink.ts';
import { PlainFilter } from '../../harness/plain-filter.ts';
import * as topology from './topology.ts';
import type { ServerOptions } from './topology.ts';

interface Pair {
  readonly a: PostfixInstance;
  readonly servers: readonly PostfixInstance[];
  readonly mailboxes: Sink;
}

type Aliases = NonNullable<ServerOptions['aliases']>;

/** A → filter → B → filter → A: two replicas of one cluster, one for each direction. */
async function startPair<F extends { readonly port: number }>(
  scenario: Scenario,
  startFilter: (nextHop: number) => Promise<F>,
  aliases: { readonly a?: Aliases; readonly b?: Aliases },
): Promise<Pair & { readonly filters: readonly F[] }> {
  const mailboxes = await topology.startMailboxes(scenario);
  const [portA, portB] = [await freePort(), await freePort()];
  const [toB, toA] = [await startFilter(portB), await startFilter(portA)];
  const a = await topology.startServer(scenario, {
    name: 'a',
    port: portA,
    domains: ['a.example'],
    mailboxes,
    relay: toB.port,
    aliases: aliases.a ?? {},
  });
  const b = await topology.startServer(scenario, {
    name: 'b',
    port: portB,
    domains: ['b.example'],
    mailboxes,
    relay: toA.port,
    aliases: aliases.b ?? {},
  });
  return { a, servers: [a, b], mailboxes, filters: [toB, toA] };
}

function startGuarded(
  scenario: Scenario,
  aliases: { readonly a?: Aliases; readonly b?: Aliases },
): Promise<Pair & { readonly filters: readonly DetachInstance[] }> {
  const loopguard = topology.cluster('both-ways');
  return startPair(scenario, (nextHop) => topology.startFilter(scenario, { nextHop, loopguard }), aliases);
}

const alice = 'alice@a.example';

test('an alias at B back to somebody else at A is a forward: delivered once, no alarm', async (t) => {
  const pair = await startGuarded(new Scenario(t), { b: { 'office@b.example': ['carol@a.example'] } });
  const ms = await topology.sendAndSettle(topology.letter(pair.a.port, alice, ['office@b.example']), pair.servers);
  assert.equal(topology.lettersOf(pair.mailboxes, 'carol@a.example').length, 1);
  assert.equal(pair.mailboxes.messages.length, 1);
  assert.deepEqual(topology.outcomes(...pair.filters), ['delivered', 'delivered']);
  assert.deepEqual(topology.fences(...pair.filters), []);
  topology.tell(t, 'forward by an alias, guard', { arrivals: topology.arrivals(...pair.filters), bounces: 0, ms });
});

test('an alias at B back to the sender: delivered once, no alarm', async (t) => {
  const pair = await startGuarded(new Scenario(t), { b: { 'office@b.example': [alice] } });
  await topology.sendAndSettle(topology.letter(pair.a.port, alice, ['office@b.example']), pair.servers);
  assert.equal(topology.lettersOf(pair.mailboxes, alice).length, 1);
  assert.equal(pair.mailboxes.messages.length, 1);
});

const circle = {
  a: { 'u@a.example': ['v@b.example'] },
  b: { 'v@b.example': ['u@a.example'] },
};

test('two aliases in a circle, without a guard: round and round', async (t) => {
  const scenario = new Scenario(t);
  const pair = await startPair(scenario, (target) => scenario.use(PlainFilter.start({ target })), circle);
  const ms = await topology.sendAndSettle(topology.letter(pair.a.port, alice, ['u@a.example']), pair.servers);
  const reports = topology.reportsTo(pair.mailboxes, alice);
  assert.equal(reports.length, 1);
  assert.match(reports[0]!, /too many hops/);
  const letters = pair.filters.flatMap(({ heard }) => heard.match(/^MAIL FROM:<alice/gm) ?? []).length;
  topology.tell(t, 'alias circle, no guard', { arrivals: letters, bounces: 1, ms });
});

test('two aliases in a circle: stopped after one round, one bounce', async (t) => {
  const pair = await startGuarded(new Scenario(t), circle);
  const ms = await topology.sendAndSettle(topology.letter(pair.a.port, alice, ['u@a.example']), pair.servers);
  const reports = topology.reportsTo(pair.mailboxes, alice);
  assert.equal(reports.length, 1);
  assert.match(reports[0]!, /Diagnostic-Code: smtp; 554 5\.4\.6 mail forwarding loop for <v@b\.example>/);
  assert.equal(pair.mailboxes.messages.length, 1);
  assert.equal(topology.passes(...pair.filters), 2);
  assert.equal(topology.arrivals(...pair.filters), 3);
  topology.tell(t, 'alias circle, guard', { arrivals: 3, bounces: 1, ms });
});

test('a circle with a way out: who can be reached is reached once, and the circle is reported once', async (t) => {
  const pair = await startGuarded(new Scenario(t), {
    a: { 'u@a.example': ['v@b.example'] },
    b: { 'v@b.example': ['u@a.example', 'carol@a.example', 'dave@b.example'] },
  });
  const ms = await topology.sendAndSettle(topology.letter(pair.a.port, alice, ['u@a.example']), pair.servers);
  assert.equal(topology.lettersOf(pair.mailboxes, 'carol@a.example').length, 1);
  assert.equal(topology.lettersOf(pair.mailboxes, 'dave@b.example').length, 1);
  assert.equal(topology.reportsTo(pair.mailboxes, alice).length, 1);
  assert.equal(pair.mailboxes.messages.length, 3);
  topology.tell(t, 'alias circle with a way out, guard', {
    arrivals: topology.arrivals(...pair.filters),
    bounces: 1,
    ms,
  });
});
