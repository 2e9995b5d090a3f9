import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../../harness/build-message.ts';
import { randomBytes } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';
import { linkIn, startChain } from '../chain.ts';
import * as topology from './topology.ts';

const ALICE = 'alice@example.com';
const BOB = 'bob@example.org';

test('A → filter → B → mailbox: nothing that people do with mail is taken for a loop', async (t) => {
  const { a, b, detach, dovecot } = await startChain(new Scenario(t));
  const servers = [a, b];
  const first = buildMessage({
    from: ALICE,
    to: BOB,
    messageId: '<first@example.com>',
    attachments: [{ name: 'plan.pdf', type: 'application/pdf', content: randomBytes(300_000) }],
  });
  const ms = await topology.sendAndSettle({ port: a.port, from: ALICE, to: [BOB], message: first }, servers);
  const [atBob] = await dovecot.waitForMail(BOB);
  assert.ok(atBob);
  topology.tell(t, 'A → filter → B, guard', { arrivals: topology.arrivals(detach), bounces: 0, ms });

  await t.test('the answer, with the first message in it as it was received, stamps and all', async () => {
    const headers = ['In-Reply-To: <first@example.com>', 'References: <first@example.com>'];
    const text = `Fine.\n\n${atBob.toString('latin1')}`;
    await topology.sendAndSettle(topology.letter(a.port, BOB, [ALICE], { headers, text }), servers);
    assert.equal(dovecot.count(ALICE), 1);
  });

  await t.test('the second message of the thread', async () => {
    const headers = ['In-Reply-To: <first@example.com>', 'References: <first@example.com>'];
    await topology.sendAndSettle(topology.letter(a.port, ALICE, [BOB], { headers }), servers);
    assert.equal(dovecot.count(BOB), 2);
  });

  await t.test('a retry after a 4xx', async () => {
    await b.halt();
    await topology.send(topology.letter(a.port, ALICE, [BOB]));
    await a.waitForQueue((queue) => queue[0]?.queue_name === 'deferred', 'deferred');
    await b.start();
    await a.flush();
    await topology.atRest(...servers);
    assert.equal(dovecot.count(BOB), 3);
  });

  await t.test('the sender sends the same message again, same Message-ID: another copy, the same link', async () => {
    await topology.sendAndSettle({ port: a.port, from: ALICE, to: [BOB], message: first }, servers);
    assert.equal(dovecot.count(BOB), 4);
    const copies = (await dovecot.fetch(BOB)).filter((copy) => copy.includes('\nMessage-ID: <first@example.com>'));
    assert.equal(copies.length, 2);
    const links = new Set(copies.map(linkIn));
    assert.equal(links.size, 1);
  });
  assert.deepEqual(topology.fences(detach), []);
});
