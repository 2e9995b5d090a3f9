import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startDovecot, type DovecotInstance, type DovecotOptions } from '../../harness/dovecot.ts';
import type { DetachInstance } from '../../harness/detach-mta.ts';
import { freePort } from '../../harness/ports.ts';
import type { PostfixInstance } from '../../harness/postfix.ts';
import { Scenario } from '../../harness/scenario.ts';
import { startSink } from '../../harness/sink.ts';
import * as topology from './topology.ts';

const [alice, bob, carol] = ['alice@example.com', 'bob@example.org', 'carol@example.org'];

interface Chain {
  readonly a: PostfixInstance;
  readonly servers: readonly PostfixInstance[];
  readonly filter: DetachInstance;
  readonly dovecot: DovecotInstance;
}

/** A → filter → B → Dovecot, and what Sieve sends goes to A, as the comments in dovecot.conf have it. */
async function start(scenario: Scenario, sieve: DovecotOptions['sieve']): Promise<Chain> {
  const submissionPort = await freePort();
  const users = [alice, bob, carol];
  const dovecot = await scenario.use(startDovecot({ users, submissionPort, ...(sieve ? { sieve } : {}) }));
  const unused = await scenario.use(startSink());
  const b = await topology.startServer(scenario, {
    name: 'b',
    dir: 'postfix-b',
    domains: ['example.com', 'example.org'],
    mailboxes: unused,
    settings: { virtual_transport: `lmtp:inet:127.0.0.1:${dovecot.lmtpPort}` },
  });
  const filter = await topology.startFilter(scenario, { nextHop: b.port });
  const a = await topology.startServer(scenario, {
    name: 'a',
    port: submissionPort,
    mailboxes: unused,
    relay: filter.port,
  });
  return { a, servers: [a, b], filter, dovecot };
}

const counts = ({ dovecot }: Chain): readonly number[] => [alice, bob, carol].map((user) => dovecot.count(user));

test('a Sieve redirect goes through the filter again: delivered, no alarm', async (t) => {
  const chain = await start(new Scenario(t), { [bob]: `redirect "${carol}";` });
  const ms = await topology.sendAndSettle(topology.letter(chain.a.port, alice, [bob]), chain.servers);
  assert.deepEqual(counts(chain), [0, 0, 1]);
  assert.deepEqual(topology.outcomes(chain.filter), ['delivered', 'delivered']);
  assert.deepEqual(topology.fences(chain.filter), []);
  topology.tell(t, 'Sieve redirect, guard', { arrivals: topology.arrivals(chain.filter), bounces: 0, ms });
});

test('a Sieve redirect that keeps a copy, to somebody who had the message as well: two for her, no alarm', async (t) => {
  const chain = await start(new Scenario(t), { [bob]: `require "copy"; redirect :copy "${carol}";` });
  const ms = await topology.sendAndSettle(topology.letter(chain.a.port, alice, [bob, carol]), chain.servers);
  assert.deepEqual(counts(chain), [0, 1, 2]);
  assert.deepEqual(topology.fences(chain.filter), []);
  topology.tell(t, 'Sieve redirect with a copy, guard', { arrivals: topology.arrivals(chain.filter), bounces: 0, ms });
});

test('two Sieve redirects in a circle: stopped, one bounce', async (t) => {
  const chain = await start(new Scenario(t), { [bob]: `redirect "${carol}";`, [carol]: `redirect "${bob}";` });
  const ms = await topology.sendAndSettle(topology.letter(chain.a.port, alice, [bob]), chain.servers);
  assert.deepEqual(counts(chain), [1, 0, 0]);
  const [bounce] = await chain.dovecot.fetch(alice);
  assert.match(
    String(bounce).replace(/\r\n[ \t]+/g, ' '),
    /smtp; 554 5\.4\.6 mail forwarding loop for <bob@example\.org>/,
  );
  assert.equal(topology.arrivals(chain.filter), 3);
  topology.tell(t, 'Sieve redirects in a circle, guard', { arrivals: 3, bounces: 1, ms });
});

test('vacation replies to and fro: one reply, and no reply to the reply', async (t) => {
  const away = 'require "vacation"; vacation "I am away.";';
  const chain = await start(new Scenario(t), { [alice]: away, [bob]: away });
  const ms = await topology.sendAndSettle(topology.letter(chain.a.port, alice, [bob]), chain.servers);
  assert.deepEqual(counts(chain), [1, 1, 0]);
  const [reply] = await chain.dovecot.fetch(alice);
  assert.match(String(reply), /^Auto-Submitted: auto-replied/m);
  assert.deepEqual(
    topology.transactions(chain.filter).map(({ from, outcome }) => [from, outcome]),
    [
      [`<${alice}>`, 'delivered'],
      ['<>', 'delivered'],
    ],
  );
  topology.tell(t, 'vacation replies, guard', { arrivals: 2, bounces: 0, ms });
});
