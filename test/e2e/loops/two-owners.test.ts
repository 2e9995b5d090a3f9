import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAzurite } from '../../harness/azurite.ts';
import { buildMessage } from '../../harness/build-message.ts';
import { unstuff } from '../../harness/dot-stuffing.ts';
import { randomBytes } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';
import { linkIn } from '../chain.ts';
import { PlainFilter } from '../../harness/plain-filter.ts';
import * as topology from './topology.ts';

/** The one message that a client said between DATA and the dot. */
function messageIn(heard: string): Buffer {
  const begin = heard.indexOf('DATA\r\n') + 'DATA\r\n'.length;
  return unstuff(Buffer.from(heard.slice(begin, heard.indexOf('\r\n.\r\n', begin) + 2), 'latin1'));
}

test('two clusters of different owners in a row: the second changes nothing but trace fields', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite({ inMemory: true }));
  const mailboxes = await topology.startMailboxes(scenario);
  const b = await topology.startServer(scenario, { name: 'b', dir: 'postfix-b', domains: ['b.example'], mailboxes });
  const beforeB = await scenario.use(PlainFilter.start({ target: b.port }));
  const owners = { storage: azurite.connectionString };
  const second = await topology.startFilter(scenario, {
    ...owners,
    nextHop: beforeB.port,
    loopguard: topology.cluster('second'),
    config: { storage: { connectionString: azurite.connectionString, container: 'second' } },
  });
  const between = await scenario.use(PlainFilter.start({ target: second.port }));
  const first = await topology.startFilter(scenario, {
    ...owners,
    nextHop: between.port,
    loopguard: topology.cluster('first'),
  });
  const a = await topology.startServer(scenario, { name: 'a', mailboxes, relay: first.port });
  const message = buildMessage({
    from: 'alice@a.example',
    to: 'bob@b.example',
    attachments: [{ name: 'plan.pdf', type: 'application/pdf', content: randomBytes(300_000) }],
  });
  const envelope = { port: a.port, from: 'alice@a.example', to: ['bob@b.example'] };
  const ms = await topology.sendAndSettle({ ...envelope, message }, [a, b]);

  const [sent, passedOn] = [messageIn(between.heard), messageIn(beforeB.heard)];
  assert.ok(passedOn.subarray(-sent.length).equals(sent), 'every byte of the first, its stamp included');
  const added = passedOn.subarray(0, -sent.length).toString('latin1');
  assert.match(added, /^Received: from [^]*?\r\nX-Detach-Guard: [^]*\bc=second;[^]*\r\n$/);
  assert.deepEqual(
    [...added.matchAll(/^[\w-]+:/gm)].map(([name]) => name),
    ['Received:', 'X-Detach-Guard:'],
  );
  assert.deepEqual(
    [first, second].map((filter) =>
      topology.transactions(filter).map(({ outcome, files }) => [outcome, files?.length]),
    ),
    [[['delivered', 1]], [['delivered', 0]]],
  );
  const [copy] = topology.lettersOf(mailboxes, 'bob@b.example');
  assert.equal((await fetch(linkIn(copy!.data))).status, 200);
  assert.match(between.heard, /^MAIL FROM:<alice@a\.example>[^\r]* XDETACH=[\w-]+\r$/m);
  topology.tell(t, 'two owners in a row, guard', { arrivals: topology.arrivals(first, second), bounces: 0, ms });

  await topology.sendAndSettle(topology.letter(a.port, envelope.from, envelope.to), [a, b]);
  assert.equal(topology.lettersOf(mailboxes, 'bob@b.example').length, 2, 'and a small one');
  assert.deepEqual(topology.fences(first, second), []);
});
