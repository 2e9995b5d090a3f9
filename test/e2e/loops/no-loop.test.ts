import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../../harness/build-message.ts';
import { randomBytes } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';
import { linkIn, startChain } from '../chain.ts';
import * as topology from './topology.ts';

const alice = 'alice@example.com';
const bob = 'bob@example.org';

test('A → filter → B → mailbox: nothing that people do with mail is taken for a loop', async (t) => {
  const { a, b, detach, dovecot } = await startChain(new Scenario(t));
  const servers = [a, b];
  const first = buildMessage({
    from: alice,
    to: bob,
    messageId: '<first@example.com>',
    attachments: [{ name: 'plan.pdf', type: 'application/pdf', content: randomBytes(300_000) }],
  });
  const ms = await topology.sendAndSettle({ port: a.port, from: alice, to: [bob], message: first }, servers);
  const [atBob] = await dovecot.waitForMail(bob);
  assert.ok(atBob);
  topology.tell(t, 'A → filter → B, guard', { arrivals: topology.arrivals(detach), bounces: 0, ms });

  await t.test('the answer, with the first message in it as it was received, stamps and all', async () => {
    const headers = ['In-Reply-To: <first@example.com>', 'References: <first@example.com>'];
    const text = `Fine.\n\n${atBob.toString('latin1')}`;
    await topology.sendAndSettle(topology.letter(a.port, bob, [alice], { headers, text }), servers);
    assert.equal(dovecot.count(alice), 1);
  });

  await t.test('the second message of the thread', async () => {
    const headers = ['In-Reply-To: <first@example.com>', 'References: <first@example.com>'];
    await topology.sendAndSettle(topology.letter(a.port, alice, [bob], { headers }), servers);
    assert.equal(dovecot.count(bob), 2);
  });

  await t.test('a retry after a 4xx', async () => {
    await b.halt();
    await topology.send(topology.letter(a.port, alice, [bob]));
    await a.waitForQueue((queue) => queue[0]?.queue_name === 'deferred', 'deferred');
    await b.start();
    await a.flush();
    await topology.atRest(...servers);
    assert.equal(dovecot.count(bob), 3);
  });

  await t.test('the sender sends the same message again, same Message-ID: another copy, the same link', async () => {
    await topology.sendAndSettle({ port: a.port, from: alice, to: [bob], message: first }, servers);
    assert.equal(dovecot.count(bob), 4);
    const copies = (await dovecot.fetch(bob)).filter((copy) => copy.includes('\nMessage-ID: <first@example.com>'));
    assert.equal(copies.length, 2);
    const links = new Set(copies.map(linkIn));
    assert.equal(links.size, 1);
  });
  assert.deepEqual(topology.fences(detach), []);
});
