import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PostfixInstance } from '../../harness/postfix.ts';
import { freePort } from '../../harness/ports.ts';
import { Scenario } from '../../harness/scenario.ts';
import type { Sink } from '../../harness/sink.ts';
import { PlainFilter } from '../../harness/plain-filter.ts';
import * as topology from './topology.ts';

const alice = 'alice@home.example';
const bob = 'bob@far.example';

/** A → filter → A: the filter hands mail back to the Postfix whose relayhost it is. Alice's mailbox is at A. */
async function startCircle(
  scenario: Scenario,
  startFilter: (a: number) => Promise<{ readonly port: number }>,
): Promise<{ a: PostfixInstance; mailboxes: Sink }> {
  const mailboxes = await topology.startMailboxes(scenario);
  const port = await freePort();
  const relay = (await startFilter(port)).port;
  return {
    mailboxes,
    a: await topology.startServer(scenario, { name: 'a', port, domains: ['home.example'], mailboxes, relay }),
  };
}

test('the original bug without a guard: 49 times at the filter, then too many hops', async (t) => {
  const scenario = new Scenario(t);
  const plain: PlainFilter[] = [];
  const { a, mailboxes } = await startCircle(scenario, async (target) => {
    plain.push(await scenario.use(PlainFilter.start({ target })));
    return plain[0]!;
  });
  const ms = await topology.sendAndSettle(topology.letter(a.port, alice, [bob]), [a]);
  const reports = topology.reportsTo(mailboxes, alice);
  assert.equal(reports.length, 1);
  assert.match(reports[0]!, /Diagnostic-Code: [^\r]*too many hops/);
  assert.equal(plain[0]?.passes, 49);
  topology.tell(t, 'A → filter → A, no guard', { arrivals: plain[0].passes, bounces: reports.length, ms });
});

test('the original bug with the guard: one pass, refused when it comes back, one bounce', async (t) => {
  const scenario = new Scenario(t);
  const filters: Awaited<ReturnType<typeof topology.startFilter>>[] = [];
  const { a, mailboxes } = await startCircle(scenario, async (nextHop) => {
    filters.push(await topology.startFilter(scenario, { nextHop }));
    return filters[0]!;
  });
  const ms = await topology.sendAndSettle(topology.letter(a.port, alice, [bob]), [a]);
  const reports = topology.reportsTo(mailboxes, alice);
  assert.equal(mailboxes.messages.length, 1, 'one bounce and nothing else');
  assert.equal(reports.length, 1);
  assert.match(reports[0]!, /Final-Recipient: rfc822; bob@far\.example/);
  assert.match(reports[0]!, /Status: 5\.4\.6/);
  assert.match(reports[0]!, /Diagnostic-Code: smtp; 554 5\.4\.6 mail forwarding loop for <bob@far\.example>/);
  assert.deepEqual(topology.outcomes(...filters), ['delivered', 'refused']);
  assert.deepEqual(topology.fences(...filters), ['stamp']);
  const met = filters[0]!.events.find(({ event }) => event === 'loop-refused');
  assert.deepEqual([met?.['cluster'], met?.['recipientDomains']], ['test', ['far.example']]);
  assert.match((await filters[0]!.metrics()).text, /loops_total\{cluster="test",fence="stamp"\} 1\n/);
  topology.tell(t, 'A → filter → A, guard', {
    arrivals: topology.arrivals(...filters),
    bounces: reports.length,
    ms,
  });
});
