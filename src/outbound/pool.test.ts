import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Meter } from '../observe/interface.ts';
import { Failure, type FailureName } from '../smtp/failures.ts';
import type { NextHop, Session } from './interface.ts';
import { createNextHop } from './next-hop.ts';
import { loopback, nextHopOptions, type Overrides } from './testing/options.ts';
import { ScriptedPeer } from './testing/scripted-peer.ts';

const hello = `
  S: 220 b.example ESMTP
  C: EHLO relay.example
  S: 250-b.example
  S: 250 PIPELINING`;
const envelope = `
  C: MAIL FROM:<a@a.example>
  S: 250 2.1.0 Ok
  C: RCPT TO:<b@b.example>
  S: 250 2.1.5 Ok`;
const delivered = `${envelope}
  C: DATA
  S: 354 Go ahead
  C.
  S: 250 2.0.0 Ok`;
const goodbye = `
  C: QUIT
  S: 221 Bye
  close`;

const from = { path: '<a@a.example>', params: [] };
const to = { path: '<b@b.example>', params: [] };

async function deliver(session: Session): Promise<void> {
  await session.envelope(from, [to]);
  await session.data();
  await session.write([Buffer.from('Subject: x\r\n\r\nx\r\n')]);
  assert.equal((await session.finish())[0]?.code, 250);
}

interface Stage {
  readonly peer: ScriptedPeer;
  readonly hop: NextHop;
  /** Open and idle sessions, as last counted. */
  readonly count: { open: number; idle: number };
  /** Resolves when so many are open. */
  readonly open: (wanted: number) => Promise<void>;
  readonly acquire: (fresh?: boolean) => Promise<Session>;
}

async function stage(t: TestContext, scripts: readonly string[], overrides: Overrides = {}): Promise<Stage> {
  const peer = await ScriptedPeer.listen(t, ...scripts);
  const count = { open: 0, idle: 0 };
  let counted = (): void => undefined;
  const plain = nextHopOptions([loopback(peer.port)], overrides);
  const meter: Meter = {
    ...plain.meter,
    nextHopSessions: (open, idle) => {
      Object.assign(count, { open, idle });
      counted();
    },
  };
  const hop = createNextHop({ ...plain, meter });
  t.after(() => hop.close());
  const open = (wanted: number): Promise<void> =>
    new Promise((resolve) => {
      counted = () => {
        if (count.open === wanted) resolve();
      };
      counted();
    });
  return { peer, hop, count, open, acquire: (fresh = false) => hop.acquire({ signal: t.signal, fresh }) };
}

const fails = (kind: FailureName) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.kind, kind, error.message);
  return true;
};

test('a session that has delivered serves again, without RSET', async (t) => {
  const { acquire, hop, peer, count } = await stage(t, [hello + delivered + delivered + goodbye]);
  const first = await acquire();
  await deliver(first);
  first.release();
  first.release();
  assert.deepEqual(count, { open: 1, idle: 1 });
  const second = await acquire();
  assert.equal(second.reused, true);
  assert.deepEqual(count, { open: 1, idle: 0 });
  await deliver(second);
  second.release();
  await hop.close();
  await peer.done();
  assert.deepEqual(count, { open: 0, idle: 0 });
});

test('a session left in a transaction says RSET, and is ready for the next before the reply', async (t) => {
  const script = `${hello}${envelope}
    C: RSET
    C: MAIL FROM:<a@a.example>
    S: 250 2.0.0 Ok
    S: 250 2.1.0 Ok
    C: RCPT TO:<b@b.example>
    S: 450 4.2.0 no
    ${goodbye.replace('C: QUIT', 'C: RSET\nC: QUIT\nS: 250 2.0.0 Ok')}`;
  const { acquire, hop, peer } = await stage(t, [script]);
  const first = await acquire();
  await first.envelope(from, [to]);
  first.release();
  const second = await acquire();
  assert.equal((await second.mail(from)).code, 250);
  assert.equal((await second.rcpt(to)).code, 450);
  second.release();
  await hop.close();
  await peer.done();
});

test('what XFORWARD said of one client is not left to the next', async (t) => {
  const script = `${hello.replace('250 PIPELINING', '250 XFORWARD NAME')}
    C: XFORWARD NAME=one.example
    S: 250 2.0.0 Ok
    C: RSET
    S: 250 2.0.0 Ok
    ${delivered}
    ${goodbye}`;
  const { acquire, hop, peer } = await stage(t, [script]);
  const first = await acquire();
  await first.xforward(new Map([['NAME', 'one.example']]));
  first.release();
  const second = await acquire();
  await deliver(second);
  second.release();
  await hop.close();
  await peer.done();
});

test('without PIPELINING the next user waits for the RSET of the one before', async (t) => {
  const script = `
    S: 220 b.example
    C: EHLO relay.example
    S: 250 b.example
    ${envelope}
    C: RSET
    s: 250 2.0.0 Ok
    ${delivered}
    ${goodbye}`;
  const { acquire, hop, peer } = await stage(t, [script]);
  const first = await acquire();
  await first.envelope(from, [to]);
  first.release();
  const second = await acquire();
  await deliver(second);
  second.release();
  await hop.close();
  await peer.done();
});

test('a session that refuses RSET is not used again', async (t) => {
  const { acquire, hop, open, peer } = await stage(t, [`${hello}${envelope}\nC: RSET\nS: 500 no\ngone`, hello]);
  const first = await acquire();
  await first.envelope(from, [to]);
  first.release();
  await open(0);
  const second = await acquire();
  assert.equal(second.reused, false);
  second.release();
  await hop.close();
  await peer.done();
});

test('a session released in the middle of a message is cut, without a dot', async (t) => {
  const { acquire, count, peer, hop } = await stage(t, [
    `${hello}${envelope}\nC: DATA\nS: 354 go\ngone`,
    `${hello}${envelope}\nC: DATA\ngone`,
  ]);
  const first = await acquire();
  await first.envelope(from, [to]);
  await first.data();
  await first.write([Buffer.from('half')]);
  first.release();
  assert.deepEqual(count, { open: 0, idle: 0 });
  const second = await acquire();
  await second.envelope(from, [to]);
  const data = second.data();
  await nextTurn();
  second.release();
  await assert.rejects(data, fails('nextHopLost'));
  assert.deepEqual(count, { open: 0, idle: 0 });
  await hop.close();
  await peer.done();
});

for (const [name, ending] of [
  ['closes', 'close'],
  ['resets', 'reset'],
  ['says 421', 'S: 421 4.4.2 idle too long\nclose'],
  ['speaks out of turn', 'S: 250 hello?\ngone'],
] as const) {
  test(`an idle session that the next hop ${name} is not handed out`, async (t) => {
    // The peer goes on when RSET has told it that the session is idle.
    const dying = `${hello}${envelope}\nC: RSET\nS: 250 Ok\n${ending}`;
    const { acquire, open, peer, hop } = await stage(t, [dying, hello]);
    const session = await acquire();
    await session.envelope(from, [to]);
    session.release();
    await open(0);
    const second = await acquire();
    assert.equal(second.reused, false);
    second.release();
    await hop.close();
    await peer.done();
  });
}

test('a session that dies in use is alive no more, before anything is said on it', async (t) => {
  const { acquire, open } = await stage(t, [`${hello}\nS: 421 4.3.2 bye\nclose`]);
  const session = await acquire();
  await open(0);
  assert.equal(session.alive, false);
  session.release();
});

test('fresh asks for a new one, with an idle one at hand', async (t) => {
  const { acquire, count } = await stage(t, [hello, hello]);
  (await acquire()).release();
  const fresh = await acquire(true);
  assert.equal(fresh.reused, false);
  assert.deepEqual(count, { open: 2, idle: 1 });
  fresh.release();
});

test('fresh with all places taken closes an idle one for it', async (t) => {
  const { acquire, count, peer, hop } = await stage(t, [hello + goodbye, hello], { outbound: { maxConnections: 1 } });
  (await acquire()).release();
  const fresh = await acquire(true);
  assert.equal(fresh.reused, false);
  assert.deepEqual(count, { open: 1, idle: 0 });
  fresh.release();
  await hop.close();
  await peer.done();
});

test('fresh behind users in turn: the next to come back is closed for it', async (t) => {
  const { acquire, peer, hop } = await stage(t, [hello + goodbye, hello], { outbound: { maxConnections: 1 } });
  const first = await acquire();
  const waiting = acquire(true);
  first.release();
  const fresh = await waiting;
  assert.equal(fresh.reused, false);
  fresh.release();
  await hop.close();
  await peer.done();
});

test('idleTimeout ends what nobody used', async (t) => {
  const scripts = [hello + goodbye, hello + goodbye, hello + goodbye];
  const { acquire, count, open, peer } = await stage(t, scripts, { outbound: { maxIdle: 2, idleTimeout: 50 } });
  const sessions = [await acquire(), await acquire(), await acquire()];
  for (const session of sessions) session.release();
  assert.deepEqual(count, { open: 3, idle: 3 });
  await open(0);
  await peer.done();
});

test('more than maxIdle are kept for a moment only: between two messages of a busy time, not afterwards', async (t) => {
  const scripts = [hello + goodbye, hello, hello];
  const { acquire, count, open } = await stage(t, scripts, { outbound: { maxIdle: 2, idleTimeout: 60_000 } });
  const sessions = [await acquire(), await acquire(), await acquire()];
  for (const session of sessions) session.release();
  const again = [await acquire(), await acquire(), await acquire()];
  assert.ok(again.every((session) => session.reused));
  for (const session of again) session.release();
  await open(2);
  assert.deepEqual(count, { open: 2, idle: 2 });
});

test('retired after 100 messages', async (t) => {
  const { acquire, open, peer } = await stage(t, [hello + delivered.repeat(100) + goodbye]);
  for (let i = 0; i < 100; i++) {
    const session = await acquire();
    assert.equal(session.reused, i > 0);
    await deliver(session);
    session.release();
  }
  await open(0);
  await peer.done();
});

test('retired after 5 refusals', async (t) => {
  const refusing = `
    C: MAIL FROM:<a@a.example>
    S: 250 Ok
    C: RCPT TO:<b@b.example>
    S: 550 no
    C: RCPT TO:<b@b.example>
    S: 450 later`;
  const script = `${hello}${refusing}\nC: RSET\nS: 250 Ok${refusing}\nC: RSET\nS: 250 Ok
    C: MAIL FROM:<a@a.example>\nS: 452 busy${goodbye}`;
  const { acquire, open, peer } = await stage(t, [script]);
  for (let i = 0; i < 2; i++) {
    const session = await acquire();
    await session.envelope(from, [to, to]);
    session.release();
  }
  const last = await acquire();
  assert.equal(last.reused, true);
  assert.equal((await last.mail(from)).code, 452);
  last.release();
  await open(0);
  await peer.done();
});

test('waiters get what comes back, in the order they came', async (t) => {
  const { acquire } = await stage(t, [hello], { outbound: { maxConnections: 1 } });
  const first = await acquire();
  const order: number[] = [];
  const waiting = [1, 2, 3].map(async (i) => {
    const session = await acquire();
    assert.equal(session.reused, true);
    order.push(i);
    session.release();
  });
  first.release();
  await Promise.all(waiting);
  assert.deepEqual(order, [1, 2, 3]);
});

test('a waiter gets the place of a session that broke', async (t) => {
  const scripts = [`${hello}\nC: MAIL FROM:<a@a.example>\nclose`, hello];
  const { acquire } = await stage(t, scripts, { outbound: { maxConnections: 1 } });
  const first = await acquire();
  const waiting = acquire();
  await assert.rejects(first.mail(from), fails('nextHopLost'));
  const second = await waiting;
  assert.equal(second.reused, false);
  first.release();
  second.release();
});

test('waiting is bounded, and ends with the signal', async (t) => {
  const { acquire, hop, count } = await stage(t, [hello], {
    outbound: { maxConnections: 1 },
    timeouts: { busy: 50 },
  });
  const first = await acquire();
  await assert.rejects(acquire(), fails('nextHopBusy'));
  const controller = new AbortController();
  const waiting = hop.acquire({ signal: controller.signal });
  controller.abort();
  await assert.rejects(waiting, fails('clientGone'));
  first.release();
  assert.deepEqual(count, { open: 1, idle: 1 });
});

test('a place is free again when a session cannot be opened', async (t) => {
  const { acquire, count } = await stage(t, ['S: 554 no', hello], { outbound: { maxConnections: 1 } });
  const [first, second] = await Promise.allSettled([acquire(), acquire()]);
  assert.equal(first.status, 'rejected');
  assert.equal(second.status, 'fulfilled');
  second.value.release();
  assert.deepEqual(count, { open: 1, idle: 1 });
});

test('probe: opens a session, uses the idle one, and is not fooled by a stale one', async (t) => {
  const noop = '\nC: NOOP\nS: 250 Ok';
  const stale = `${hello}${noop}${noop}\nC: NOOP\nclose`;
  const { hop, acquire, count } = await stage(t, [stale, `${hello}${noop}\nC: NOOP\nS: 421 bye`, `${hello}${noop}`]);
  assert.equal(await hop.probe(t.signal), true);
  assert.deepEqual(count, { open: 1, idle: 1 });
  assert.equal(await hop.probe(t.signal), true);
  assert.equal(await hop.probe(t.signal), true);
  assert.equal(await hop.probe(t.signal), true);
  // Nobody delivered on it yet, but it has lain idle: it may be as dead as any other.
  const session = await acquire();
  assert.equal(session.reused, true);
  session.release();
});

test('probe: with every session in use it was reached', async (t) => {
  const { hop, acquire } = await stage(t, [hello], { outbound: { maxConnections: 1 } });
  const session = await acquire();
  assert.equal(await hop.probe(t.signal), true);
  session.release();
});

test('close: idle ones say QUIT, waiters are sent away, the one in use may finish', async (t) => {
  const scripts = [hello + delivered + goodbye, hello + goodbye];
  const { hop, acquire, peer, count } = await stage(t, scripts, { outbound: { maxConnections: 2 } });
  const used = await acquire();
  const idle = await acquire();
  idle.release();
  const again = await acquire();
  const waiting = acquire();
  again.release();
  (await waiting).release();
  const closed = hop.close();
  await assert.rejects(acquire(), fails('shuttingDown'));
  await deliver(used);
  used.release();
  await closed;
  assert.deepEqual(count, { open: 0, idle: 0 });
  await peer.done();
});

test('close: whoever waits is sent away, whoever never comes back is cut', async (t) => {
  const overrides = { outbound: { maxConnections: 1 }, timeouts: { close: 50 } };
  const { hop, acquire, peer, count } = await stage(t, [`${hello}\ngone`], overrides);
  const used = await acquire();
  const waiting = acquire();
  const closed = hop.close();
  await assert.rejects(waiting, fails('shuttingDown'));
  await closed;
  assert.equal(used.alive, false);
  used.release();
  assert.deepEqual(count, { open: 0, idle: 0 });
  await peer.done();
});

test('QUIT is not waited for for ever', async (t) => {
  const { hop, acquire, count } = await stage(t, [`${hello}\nC: QUIT\ndrain`], { timeouts: { quit: 50 } });
  (await acquire()).release();
  await hop.close();
  assert.deepEqual(count, { open: 0, idle: 0 });
});
