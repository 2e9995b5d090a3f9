import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { DetachInstance } from '../../harness/detach-mta.ts';
import type { PostfixInstance } from '../../harness/postfix.ts';
import { freePort } from '../../harness/ports.ts';
import { Scenario } from '../../harness/scenario.ts';
import type { Sink } from '../../harness/sink.ts';
import { PlainFilter } from '../../harness/plain-filter.ts';
import * as topology from './topology.ts';
import type { ServerOptions } from './topology.ts';

const alice = 'alice@home.example';
const bob = 'bob@far.example';

interface Wrong {
  readonly a: PostfixInstance;
  readonly b: PostfixInstance;
  readonly servers: readonly PostfixInstance[];
  readonly mailboxes: Sink;
}

/** A → filter → B, and B's relayhost is the same filter. */
async function start<F extends { readonly port: number }>(
  scenario: Scenario,
  startFilter: (b: number) => Promise<F>,
  options: { readonly a?: Partial<ServerOptions>; readonly b?: Partial<ServerOptions> } = {},
): Promise<Wrong & { readonly filter: F }> {
  const mailboxes = await topology.startMailboxes(scenario);
  const port = await freePort();
  const filter = await startFilter(port);
  const shared = { mailboxes, relay: filter.port };
  const a = await topology.startServer(scenario, { name: 'a', ...shared, ...options.a });
  const b = await topology.startServer(scenario, { name: 'b', dir: 'postfix-b', port, ...shared, ...options.b });
  return { a, b, servers: [a, b], mailboxes, filter };
}

const guarded = (scenario: Scenario) => (nextHop: number) => topology.startFilter(scenario, { nextHop });

function assertStopped(
  t: TestContext,
  what: string,
  ms: number,
  { mailboxes, filter }: Wrong & { filter: DetachInstance },
): void {
  const reports = topology.reportsTo(mailboxes, alice);
  assert.equal(reports.length, 1, 'exactly one bounce');
  assert.match(reports[0]!, /Diagnostic-Code: smtp; 554 5\.4\.6 mail forwarding loop for <bob@far\.example>/);
  assert.match(reports[0]!, /Reporting-MTA: dns; mail-b\.example\.net/);
  assert.equal(mailboxes.messages.length, 1);
  assert.deepEqual(topology.outcomes(filter), ['delivered', 'refused']);
  topology.tell(t, what, { arrivals: topology.arrivals(filter), bounces: reports.length, ms });
}

const atB = { b: { domains: ['home.example'] } };

test('B relays back to the filter: without a guard, round and round', async (t) => {
  const scenario = new Scenario(t);
  const chain = await start(scenario, (target) => scenario.use(PlainFilter.start({ target })), atB);
  const ms = await topology.sendAndSettle(topology.letter(chain.a.port, alice, [bob]), chain.servers);
  const reports = topology.reportsTo(chain.mailboxes, alice);
  assert.equal(reports.length, 1);
  assert.match(reports[0]!, /too many hops/);
  topology.tell(t, 'B relays back, no guard', { arrivals: chain.filter.passes, bounces: 1, ms });
});

test('B relays back to the filter: refused at the second pass, one bounce', async (t) => {
  const scenario = new Scenario(t);
  const chain = await start(scenario, guarded(scenario), atB);
  const ms = await topology.sendAndSettle(topology.letter(chain.a.port, alice, [bob]), chain.servers);
  assertStopped(t, 'B relays back, guard', ms, chain);
});

test('B delivers nothing at all: message and bounce end at their second pass, and nobody goes on about it', async (t) => {
  const scenario = new Scenario(t);
  const chain = await start(scenario, guarded(scenario));
  await topology.sendAndSettle(topology.letter(chain.a.port, alice, [bob]), chain.servers);
  // No way leads to Alice either: B's bounce is null-sender mail, and its refusal ends all.
  assert.deepEqual(topology.outcomes(chain.filter), ['delivered', 'delivered', 'refused', 'refused']);
  assert.equal(chain.mailboxes.messages.length, 0);
});

/** What a Postfix does to a header that a mail program left incomplete, if it takes its client for one. */
const incomplete: readonly (readonly [what: string, from: string, passes: number])[] = [
  ['adds Message-ID and Date', 'alice@home.example', 1],
  // Nothing is left by which the message could be known again. The next stamp is on what was added.
  ['adds Message-ID and Date and completes From, all on the way,', 'alice', 2],
];

for (const [what, from, passes] of incomplete) {
  test(`a hop that ${what} does not hide the loop`, async (t) => {
    const scenario = new Scenario(t);
    const { a, servers, mailboxes, filter } = await start(scenario, guarded(scenario), {
      a: { settings: { local_header_rewrite_clients: '' } },
      b: {
        domains: ['home.example'],
        settings: { local_header_rewrite_clients: 'permit_mynetworks', myorigin: 'other.example' },
      },
    });
    const message = Buffer.from(`Subject: bare\r\nFrom: ${from}\r\nTo: bob@far.example\r\n\r\nhello\r\n`);
    await topology.sendAndSettle({ port: a.port, from: alice, to: [bob], message }, servers);
    const reports = topology.reportsTo(mailboxes, alice);
    assert.equal(reports.length, 1);
    assert.match(reports[0]!, /Diagnostic-Code: smtp; 554 5\.4\.6 mail forwarding loop for <bob@far\.example>/);
    assert.match(reports[0]!, /Message-Id: <[^\r]*mail-b\.example\.net>/i, 'B added it');
    assert.equal(topology.passes(filter), passes);
    assert.equal(topology.arrivals(filter), passes + 1);
  });
}

/** B takes header fields away, so that something has to stop the loop that does not need them. */
async function startStripping(
  scenario: Scenario,
  pattern: string,
  loopguard = {},
): Promise<Wrong & { filter: DetachInstance }> {
  return start(scenario, (nextHop) => topology.startFilter(scenario, { nextHop, loopguard }), {
    b: {
      domains: ['home.example'],
      files: { strip: `${pattern} IGNORE\n` },
      settings: { header_checks: 'regexp:$config_directory/strip' },
    },
  });
}

test('B strips all X- fields: our own trace fields are counted', async (t) => {
  const chain = await startStripping(new Scenario(t), '/^X-/');
  const ms = await topology.sendAndSettle(topology.letter(chain.a.port, alice, [bob]), chain.servers);
  const reports = topology.reportsTo(chain.mailboxes, alice);
  assert.equal(reports.length, 1);
  assert.match(reports[0]!, /Diagnostic-Code: smtp; 554 5\.4\.6 too many hops, this message is looping/);
  assert.equal(topology.passes(chain.filter), 10);
  assert.deepEqual(topology.fences(chain.filter), ['count']);
  const met = chain.filter.events.find(({ event }) => event === 'loop-refused');
  assert.deepEqual(met?.['recipientDomains'], ['far.example']);
  topology.tell(t, 'B strips X- fields, guard', { arrivals: topology.arrivals(chain.filter), bounces: 1, ms });
});

test('B strips all X- fields and our trace fields too: all trace fields are counted', async (t) => {
  const chain = await startStripping(new Scenario(t), '/^X-|^Received:.*detach=/', { hopLimit: 20 });
  const ms = await topology.sendAndSettle(topology.letter(chain.a.port, alice, [bob]), chain.servers);
  const reports = topology.reportsTo(chain.mailboxes, alice);
  assert.equal(reports.length, 1);
  assert.match(reports[0]!, /Diagnostic-Code: smtp; 554 5\.4\.6 too many hops, this message is looping/);
  // One of A, and one of B each round.
  assert.equal(topology.passes(chain.filter), 19);
  assert.deepEqual(topology.fences(chain.filter), ['count']);
  topology.tell(t, 'B strips X- fields and our Received, hopLimit 20, guard', {
    arrivals: topology.arrivals(chain.filter),
    bounces: 1,
    ms,
  });
});
