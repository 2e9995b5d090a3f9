import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { buildMessage } from '../../harness/build-message.ts';
import type { DetachInstance } from '../../harness/detach-mta.ts';
import { freePort } from '../../harness/ports.ts';
import type { PostfixInstance } from '../../harness/postfix.ts';
import { Scenario } from '../../harness/scenario.ts';
import { sendMail } from '../../harness/send-mail.ts';
import { startSink, type Sink } from '../../harness/sink.ts';
import * as topology from './topology.ts';

const alice = 'alice@b.example';
const bob = 'bob@b.example';
const carol = 'carol@b.example';
const eve = 'eve@b.example';

const tag = (): string => randomBytes(8).toString('base64url');
const now = Math.floor(Date.now() / 1000);

/** As one of ours to look at: our cluster, a key that exists, the right time. */
const fake = (): string =>
  `X-Detach-Guard: v=1; c=test; k=k1; t=${now}; f=message-id,date; s=${tag()}; r=${Array.from({ length: 8 }, tag).join(',')}; n=${tag()}; m=${tag()}`;

const field = (message: Buffer, name: string): string => {
  const text = message.toString('latin1');
  const found = new RegExp(`^${name}:.*\\r\\n(?:[ \\t].*\\r\\n)*`, 'm').exec(text)?.[0];
  assert.ok(found, `${name} is missing`);
  return found.slice(0, -2);
};

/** What an attacker puts on a message, from a stamp and a trace field that he got on another one. */
const forgeries: readonly (readonly [what: string, fields: (stamp: string, received: string) => readonly string[]])[] =
  [
    ['a stamp copied from another message', (stamp) => [stamp]],
    ['5,000 copies of it', (stamp) => Array.from({ length: 5000 }, () => stamp)],
    ['5,000 stamps that look like ours', () => Array.from({ length: 5000 }, fake)],
    ['stamps of others', () => [fake().replace('c=test', 'c=other'), fake().replace('k=k1', 'k=k9')]],
    ['a stamp from the future', () => [fake().replace(/t=\d+/, 't=99999999999')]],
    [
      'broken stamps',
      (stamp) => [
        stamp.slice(0, 60),
        'X-Detach-Guard:',
        'X-Detach-Guard: \xff\xfe;;;=,',
        'X-Detach-Guard: v=2; c=test',
      ],
    ],
    [
      'a stamp of 500,000 bytes',
      () => [fake().replace(/r=[^;]+/, `r=${Array.from({ length: 40_000 }, tag).join(',\r\n ')}`)],
    ],
    ['30 copies of our trace field', (_stamp, received) => Array.from({ length: 30 }, () => received)],
    [
      '30 trace fields that look like ours',
      (_stamp, received) =>
        Array.from({ length: 30 }, () => received.replace(/(\(detach=[^)]*\/)[\w-]{11}\)/, `$1${tag()})`)),
    ],
  ];

test('innocent mail is not refused, whatever stamps somebody put on it', async (t) => {
  const scenario = new Scenario(t);
  const world = await scenario.use(startSink());
  const filter = await topology.startFilter(scenario, { nextHop: world.port });
  const envelope = { port: filter.port, from: alice, to: [bob] };
  await topology.send(topology.letter(filter.port, alice, [bob]));
  const first = world.messages[0]!.data;
  const [stamp, received] = [field(first, 'X-Detach-Guard'), field(first, 'Received')];
  for (const [what, fields] of forgeries) {
    const message = buildMessage({ from: alice, to: bob, headers: fields(stamp, received) });
    const sent = await sendMail({ ...envelope, message });
    assert.equal(sent.final[0]?.code, 250, `${what}: ${sent.final[0]?.text}`);
  }
  for (const part of ['s', 'r', 't', 'n', 'm', 'f', 'k']) {
    const altered = stamp.replace(
      new RegExp(`\\b${part}=(\\s*)(.)`),
      (_all, blank: string, c: string) => `${part}=${blank}${c === 'A' ? 'B' : 'A'}`,
    );
    assert.notEqual(altered, stamp);
    const message = Buffer.from(first.toString('latin1').replace(stamp, altered), 'latin1');
    const sent = await sendMail({ ...envelope, message });
    assert.equal(sent.final[0]?.code, 250, `altered ${part}: ${sent.final[0]?.text}`);
  }
  assert.deepEqual(topology.fences(filter), []);
  // And unaltered, it is what it is.
  const replayed = await sendMail({ ...envelope, message: first });
  assert.match(replayed.final[0]?.text ?? '', /^554 5\.4\.6 /);
});

test('thousands of false stamps do not get a looping message past the guard', async (t) => {
  const scenario = new Scenario(t);
  const mailboxes = await topology.startMailboxes(scenario);
  const port = await freePort();
  const filter = await topology.startFilter(scenario, { nextHop: port });
  const a = await topology.startServer(scenario, {
    name: 'a',
    port,
    domains: ['b.example'],
    mailboxes,
    relay: filter.port,
    settings: { header_size_limit: 10_000_000 },
  });
  const headers = Array.from({ length: 5000 }, fake);
  const ms = await topology.sendAndSettle(topology.letter(a.port, alice, ['bob@far.example'], { headers }), [a]);
  assert.equal(topology.reportsTo(mailboxes, alice).length, 1);
  assert.deepEqual(topology.outcomes(filter), ['delivered', 'refused']);
  assert.deepEqual(topology.fences(filter), ['stamp']);
  topology.tell(t, 'A → filter → A with 5,000 false stamps, guard', { arrivals: 2, bounces: 1, ms });
});

interface Chain {
  readonly a: PostfixInstance;
  readonly servers: readonly PostfixInstance[];
  readonly filter: DetachInstance;
  readonly mailboxes: Sink;
}

async function startChain(scenario: Scenario, recipientLimit: number): Promise<Chain> {
  const mailboxes = await topology.startMailboxes(scenario);
  const b = await topology.startServer(scenario, { name: 'b', dir: 'postfix-b', domains: ['b.example'], mailboxes });
  const filter = await topology.startFilter(scenario, { nextHop: b.port });
  const settings = { smtp_destination_recipient_limit: recipientLimit };
  const a = await topology.startServer(scenario, { name: 'a', mailboxes, relay: filter.port, settings });
  return { a, servers: [a, b], filter, mailboxes };
}

for (const [what, limit] of [
  ['in one transaction', 500],
  ['in transactions of their own', 1],
] as const) {
  test(`who got a blind copy cannot be found out by replaying a stamp to a guessed address; ${what}`, async (t) => {
    const { a, servers, filter, mailboxes } = await startChain(new Scenario(t), limit);
    // To Bob, and to Carol in blind copy. Eve got nothing.
    const message = buildMessage({ from: alice, to: bob });
    await topology.sendAndSettle({ port: a.port, from: alice, to: [bob, carol], message }, servers);
    const copy = topology.lettersOf(mailboxes, bob)[0]!.data;
    const tags = /;r=([^;]+)/.exec(field(copy, 'X-Detach-Guard').replace(/\s+/g, ''))?.[1]?.split(',');
    assert.equal(tags?.length, 8, 'recipients cannot be counted');

    // Bob sends what he has to both, to each alone and to the two together, by A and straight to the filter.
    const attempts = [[carol], [eve], [carol, eve], [bob, carol], [bob, eve]];
    for (const port of [a.port, filter.port]) {
      for (const to of attempts) {
        const sent = await sendMail({ port, from: bob, to, message: copy });
        const { text = '' } = sent.final[0] ?? {};
        // Whether a copy for Bob himself may pass is his own affair; it must not depend on who else is guessed.
        assert.match(text, /^250 /, `${to.join()}: ${text}`);
        await topology.atRest(...servers);
      }
    }
    assert.equal(topology.reportsTo(mailboxes, carol).length + topology.reportsTo(mailboxes, eve).length, 0);
    const heard = topology.reportsTo(mailboxes, bob).join('\n');
    assert.ok(!heard.includes(carol) && !heard.includes(eve), 'no report to Bob names either of them');
    assert.equal(
      topology.lettersOf(mailboxes, carol).length - 1,
      topology.lettersOf(mailboxes, eve).length,
      'the two fare the same',
    );
  });
}

test('a replay under the author’s reverse-path is reported to the author, not to who replays', async (t) => {
  const { a, servers, mailboxes } = await startChain(new Scenario(t), 500);
  const message = buildMessage({ from: alice, to: bob });
  await topology.sendAndSettle({ port: a.port, from: alice, to: [bob, carol], message }, servers);
  const copy = topology.lettersOf(mailboxes, bob)[0]!.data;
  for (const to of [[carol], [eve], [bob, carol]]) {
    await topology.sendAndSettle({ port: a.port, from: alice, to, message: copy }, servers);
  }
  assert.equal(topology.reportsTo(mailboxes, bob).length, 0);
  assert.equal(topology.mailOf(mailboxes, eve).length, 1, 'Eve is new to this message');
  const [reports, rest] = [topology.reportsTo(mailboxes, alice), topology.lettersOf(mailboxes, carol)];
  assert.equal(reports.length, 1, 'of the whole set only: one recipient of two has perhaps been reached another way');
  assert.equal(rest.length, 2);
});
