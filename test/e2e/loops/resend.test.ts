import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DetachInstance } from '../../harness/detach-mta.ts';
import type { PostfixInstance } from '../../harness/postfix.ts';
import { run } from '../../harness/process.ts';
import { Scenario } from '../../harness/scenario.ts';
import type { Sink } from '../../harness/sink.ts';
import * as topology from './topology.ts';

const alice = 'alice@b.example';
const bob = 'bob@b.example';
const carol = 'carol@b.example';

interface Delivered {
  readonly a: PostfixInstance;
  readonly b: PostfixInstance;
  readonly servers: readonly PostfixInstance[];
  readonly filter: DetachInstance;
  readonly mailboxes: Sink;
  /** Bob's copy of a letter from Alice, as it lies in his mailbox. */
  readonly copy: Buffer;
}

/** A → filter → B, and a letter that went through. */
async function startDelivered(scenario: Scenario): Promise<Delivered> {
  const mailboxes = await topology.startMailboxes(scenario);
  const b = await topology.startServer(scenario, { name: 'b', dir: 'postfix-b', domains: ['b.example'], mailboxes });
  const filter = await topology.startFilter(scenario, { nextHop: b.port });
  const a = await topology.startServer(scenario, { name: 'a', mailboxes, relay: filter.port });
  await topology.sendAndSettle(topology.letter(a.port, alice, [bob]), [a, b]);
  const copy = mailboxes.messages[0]!.data;
  assert.match(copy.toString('latin1'), /^X-Detach-Guard: /m);
  return { a, b, servers: [a, b], filter, mailboxes, copy };
}

/** RFC 5322 section 3.6.6, as mutt's `bounce` command writes it. */
function resent(message: Buffer, { from, to, id }: { from: string; to: string; id: string }): Buffer {
  const fields = [
    `Resent-From: ${from}`,
    `Resent-Date: Tue, 7 Jan 2025 10:00:0${id} +0000`,
    `Resent-Message-ID: <resent.${id}@b.example>`,
    `Resent-To: ${to}`,
  ];
  return Buffer.concat([Buffer.from(fields.map((field) => `${field}\r\n`).join('')), message]);
}

const unstamped = (message: Buffer): string =>
  message
    .toString('latin1')
    .replace(/^X-Detach-Guard:.*\r\n(?:[ \t].*\r\n)*/gm, '')
    .replaceAll('\r\n', '\n');

test('a person resends an old message: to others, to herself, and again', async (t) => {
  const { a, servers, filter, mailboxes, copy } = await startDelivered(new Scenario(t));
  const deliver = async (from: string, to: string, message: Buffer): Promise<Buffer> => {
    const before = topology.lettersOf(mailboxes, to).length;
    await topology.sendAndSettle({ port: a.port, from, to: [to], message }, servers);
    const letters = topology.lettersOf(mailboxes, to);
    assert.equal(letters.length, before + 1, `${to} got it`);
    return letters.at(-1)!.data;
  };
  const atCarol = await deliver(bob, carol, resent(copy, { from: bob, to: carol, id: '1' }));
  const backAtBob = await deliver(carol, bob, resent(atCarol, { from: carol, to: bob, id: '2' }));
  await deliver(bob, bob, resent(backAtBob, { from: bob, to: bob, id: '3' }));
  await deliver(bob, bob, resent(copy, { from: bob, to: bob, id: '4' }));
  assert.deepEqual(topology.fences(filter), []);
});

test('an admin puts a message from a mailbox back into the queue', async (t) => {
  const { a, servers, filter, mailboxes, copy } = await startDelivered(new Scenario(t));
  const requeue = async (to: string, message: string): Promise<void> => {
    await a.sendmail(['-i', '-f', alice, to], message);
    await topology.atRest(a, ...servers);
  };
  const text = copy.toString('latin1').replaceAll('\r\n', '\n');

  await requeue(bob, text);
  assert.equal(
    topology.lettersOf(mailboxes, bob).length,
    1,
    'for whom it was delivered to: a loop, by all that we can see',
  );
  const [report] = topology.reportsTo(mailboxes, alice);
  assert.match(report!, /smtp; 554 5\.4\.6 mail forwarding loop for <bob@b\.example>/);

  await requeue(carol, text);
  assert.equal(topology.lettersOf(mailboxes, carol).length, 1, 'for somebody else: a forward');
  await requeue(bob, unstamped(copy));
  assert.equal(topology.lettersOf(mailboxes, bob).length, 2, 'without our stamps: a new message');
  const again = resent(copy, { from: 'postmaster@b.example', to: bob, id: '1' });
  await requeue(bob, again.toString('latin1').replaceAll('\r\n', '\n'));
  assert.equal(topology.lettersOf(mailboxes, bob).length, 3, 'with Resent- fields: resent');
  assert.equal(topology.reportsTo(mailboxes, alice).length, 1);
  assert.deepEqual(topology.fences(filter), ['stamp']);
});

test('postsuper -r takes a message through B’s queue again, not through the filter', async (t) => {
  const { a, b, servers, filter, mailboxes } = await startDelivered(new Scenario(t));
  await b.postconf({ defer_transports: 'lmtp' });
  await topology.send(topology.letter(a.port, alice, [bob]));
  await b.waitForQueue((queue) => queue[0]?.queue_name === 'deferred', 'holding the message');
  await b.postconf({ defer_transports: '' });
  await run('postsuper', ['-c', b.config, '-r', 'ALL']);
  await topology.atRest(...servers);
  assert.equal(topology.lettersOf(mailboxes, bob).length, 2);
  assert.equal(topology.passes(filter), 2);
});
