import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../../harness/ports.ts';
import { Scenario } from '../../harness/scenario.ts';
import * as topology from './topology.ts';

test('a bounce for somebody unknown ends where it is refused, and nothing is generated', async (t) => {
  const scenario = new Scenario(t);
  const mailboxes = await topology.startMailboxes(scenario);
  const b = await topology.startServer(scenario, {
    name: 'b',
    dir: 'postfix-b',
    domains: ['b.example'],
    mailboxes,
    settings: { virtual_mailbox_maps: 'inline:{ known@b.example=mailbox }' },
  });
  const filter = await topology.startFilter(scenario, { nextHop: b.port });
  const a = await topology.startServer(scenario, { name: 'a', mailboxes, relay: filter.port });
  const letter = topology.letter(a.port, 'ghost@b.example', ['nobody@b.example']);
  const ms = await topology.sendAndSettle(letter, [a, b]);
  assert.deepEqual(
    topology.transactions(filter).map(({ from, outcome }) => [from, outcome]),
    [
      ['<ghost@b.example>', 'refused'],
      ['<>', 'refused'],
    ],
  );
  assert.equal(mailboxes.messages.length, 0);
  topology.tell(t, 'bounce for somebody unknown, guard', {
    arrivals: topology.transactions(filter).length,
    bounces: 1,
    ms,
  });
});

test('message and bounce both go round: each is stopped once, the bounce makes no other one', async (t) => {
  const scenario = new Scenario(t);
  const mailboxes = await topology.startMailboxes(scenario);
  const port = await freePort();
  const filter = await topology.startFilter(scenario, { nextHop: port });
  const a = await topology.startServer(scenario, { name: 'a', port, mailboxes, relay: filter.port });
  const ms = await topology.sendAndSettle(topology.letter(a.port, 'alice@far.example', ['bob@far.example']), [a]);
  assert.deepEqual(
    topology.transactions(filter).map(({ from, outcome, failure }) => [from, outcome, failure]),
    [
      ['<alice@far.example>', 'delivered', undefined],
      ['<alice@far.example>', 'refused', 'loop'],
      ['<>', 'delivered', undefined],
      ['<>', 'refused', 'loop'],
    ],
  );
  assert.equal(mailboxes.messages.length, 0);
  // The second line of the same client is summed up later.
  assert.deepEqual(topology.fences(filter), ['stamp']);
  topology.tell(t, 'message and bounce both go round, guard', {
    arrivals: topology.transactions(filter).length,
    bounces: 1,
    ms,
  });
});

test('a report that comes back to a mailbox that forwards it back: ends, nothing is generated', async (t) => {
  const scenario = new Scenario(t);
  const mailboxes = await topology.startMailboxes(scenario);
  const port = await freePort();
  const filter = await topology.startFilter(scenario, { nextHop: port });
  const a = await topology.startServer(scenario, {
    name: 'a',
    port,
    mailboxes,
    relay: filter.port,
    aliases: { 'alice@home.example': ['office@far.example'] },
  });
  // A report as another server would send it, to somebody whose mail is forwarded in a circle.
  await topology.sendAndSettle(topology.letter(a.port, '', ['alice@home.example']), [a]);
  assert.deepEqual(topology.outcomes(filter), ['delivered', 'refused']);
  assert.equal(mailboxes.messages.length, 0);
});
