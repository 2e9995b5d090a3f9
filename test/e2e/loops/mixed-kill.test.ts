import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scenario } from '../../harness/scenario.ts';
import { startSink } from '../../harness/sink.ts';
import { Tripwire, type Trip } from '../../harness/tripwire.ts';
import { body, end, fresh, lettersAt, looping, reportsAt, returnedLetter, sender } from './mixed-letter.ts';
import * as topology from './topology.ts';

/** Where the filter is killed, and how many letters and reports are there when all was tried again. */
const points: readonly (readonly [what: string, trip: Trip, letters?: number, reports?: number])[] = [
  ['RSET', { direction: 'up', at: /RSET\r\n/ }],
  ['the envelope without those that loop', { direction: 'up', at: /RSET\r\n[^]*MAIL FROM:<alice/ }],
  ['MAIL of the report', { direction: 'up', at: /MAIL FROM:<>/ }],
  ['RCPT of the report', { direction: 'up', at: /MAIL FROM:<>[^]*RCPT TO:<alice/ }],
  ['DATA of the letter', { direction: 'up', at: /RCPT TO:<alice[^]*DATA\r\n/ }],
  ['the letter', { direction: 'up', at: new RegExp(body) }],
  ['DATA of the report', { direction: 'up', at: new RegExp(`(?:x|${end})[\\r\\n]*DATA\\r\\n`) }],
  ['the dot of the letter', { direction: 'up', at: new RegExp(`${end}\\r\\n(?:DATA\\r\\n)?\\.\\r\\n`) }],
  // From here on the next hop has the letter, and Postfix has not heard of it.
  ['250 to the letter', { direction: 'down', at: /queued as/ }, 2, 1],
  ['the report with its dot', { direction: 'up', at: /Undelivered Mail Returned/ }, 2, 1],
  ['250 to the report', { direction: 'down', at: /queued as[^]*queued as/ }, 2, 2],
];

test('kill -9 at any step of a mixed message: letter and report both arrive in the end', async (t) => {
  const scenario = new Scenario(t);
  const world = await scenario.use(startSink());
  const wire = await scenario.use(Tripwire.start(world.port));
  const filter = await topology.startFilter(scenario, { nextHop: wire.port });
  const mailboxes = await topology.startMailboxes(scenario);
  const a = await topology.startServer(scenario, { name: 'a', domains: ['a.example'], mailboxes, relay: filter.port });
  for (const [what, trip, letters = 1, reports = 1] of points) {
    await t.test(what, async () => {
      const message = await returnedLetter(filter, world);
      const reached = wire.arm(trip, () => void filter.kill('SIGKILL'));
      await topology.send({ port: a.port, from: sender, to: [...looping, fresh], message });
      await reached;
      await filter.restart('SIGKILL');
      await a.waitForQueue((queue) => queue.every((entry) => entry.queue_name !== 'active'), 'nothing active');
      await a.deliverAll();
      await topology.atRest(a);
      assert.equal(lettersAt(world).length, letters);
      assert.equal(reportsAt(world).length, reports);
      for (const letter of lettersAt(world)) assert.deepEqual(letter.to, [fresh]);
      for (const report of reportsAt(world)) assert.deepEqual(report.to, [sender]);
      const ids = reportsAt(world).map(({ data }) => /^Message-ID: (.*)\r$/m.exec(data.toString('latin1'))?.[1]);
      assert.equal(new Set(ids).size, 1, 'a second report can be told to be the same');
      assert.equal(mailboxes.messages.length, 0, 'Postfix bounces nothing');
      world.messages.length = 0;
    });
    world.messages.length = 0;
  }
});
