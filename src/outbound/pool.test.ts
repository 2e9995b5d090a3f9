import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fails } from './testing/fails.ts';
import { stage } from './testing/stage.ts';
import { deliver, delivered, from, goodbye, hello } from './testing/transaction.ts';

const opened = hello('PIPELINING');

test('fresh asks for a new one, with an idle one at hand', async (t) => {
  const { acquire, count } = await stage(t, [opened, opened]);
  (await acquire()).release();
  const fresh = await acquire(true);
  assert.equal(fresh.reused, false);
  assert.deepEqual(count, { open: 2, idle: 1 });
  fresh.release();
});

test('fresh with all places taken closes an idle one for it', async (t) => {
  const { acquire, count, end } = await stage(t, [opened + goodbye, opened], { outbound: { maxConnections: 1 } });
  (await acquire()).release();
  const fresh = await acquire(true);
  assert.equal(fresh.reused, false);
  assert.deepEqual(count, { open: 1, idle: 0 });
  fresh.release();
  await end();
});

test('fresh behind users in turn: the next to come back is closed for it', async (t) => {
  const { acquire, end } = await stage(t, [opened + goodbye, opened], { outbound: { maxConnections: 1 } });
  const first = await acquire();
  const waiting = acquire(true);
  first.release();
  const fresh = await waiting;
  assert.equal(fresh.reused, false);
  fresh.release();
  await end();
});

test('idleTimeout ends what nobody used', async (t) => {
  const scripts = [opened + goodbye, opened + goodbye, opened + goodbye];
  const { acquire, count, open, peer } = await stage(t, scripts, { outbound: { maxIdle: 2, idleTimeout: 50 } });
  const sessions = [await acquire(), await acquire(), await acquire()];
  for (const session of sessions) session.release();
  assert.deepEqual(count, { open: 3, idle: 3 });
  await open(0);
  await peer.done();
});

test('a step of the clock, back or forth, neither keeps an idle session nor lets the pool spin', async (t) => {
  for (const days of [-30, 30]) {
    const warnings: string[] = [];
    const warned = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', warned);
    const { acquire, open, peer } = await stage(t, [opened + goodbye], { outbound: { idleTimeout: 50 } });
    (await acquire()).release();
    const { now } = Date;
    const stepped = t.mock.method(Date, 'now', () => now() + days * 86_400_000);
    await open(0);
    await peer.done();
    stepped.mock.restore();
    process.off('warning', warned);
    assert.ok(!warnings.includes('TimeoutOverflowWarning'));
  }
});

test('more than maxIdle are kept for a moment only: between two messages of a busy time, not afterwards', async (t) => {
  const scripts = [opened + goodbye, opened, opened];
  const { acquire, count, open } = await stage(t, scripts, { outbound: { maxIdle: 2, idleTimeout: 60_000 } });
  const sessions = [await acquire(), await acquire(), await acquire()];
  for (const session of sessions) session.release();
  const again = [await acquire(), await acquire(), await acquire()];
  assert.ok(again.every((session) => session.reused));
  for (const session of again) session.release();
  await open(2);
  assert.deepEqual(count, { open: 2, idle: 2 });
});

test('waiters get what comes back, in the order they came', async (t) => {
  const { acquire } = await stage(t, [opened], { outbound: { maxConnections: 1 } });
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
  const scripts = [`${opened}\nC: MAIL FROM:<a@a.example>\nclose`, opened];
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
  const { acquire, hop, count } = await stage(t, [opened], {
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
  const { acquire, count } = await stage(t, ['S: 554 no', opened], { outbound: { maxConnections: 1 } });
  const [first, second] = await Promise.allSettled([acquire(), acquire()]);
  assert.equal(first.status, 'rejected');
  assert.equal(second.status, 'fulfilled');
  second.value.release();
  assert.deepEqual(count, { open: 1, idle: 1 });
});

test('probe: opens a session, uses the idle one, and is not fooled by a stale one', async (t) => {
  const noop = '\nC: NOOP\nS: 250 Ok';
  const stale = `${opened}${noop}${noop}\nC: NOOP\nclose`;
  const { hop, acquire, count } = await stage(t, [stale, `${opened}${noop}\nC: NOOP\nS: 421 bye`, `${opened}${noop}`]);
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
  const { hop, acquire } = await stage(t, [opened], { outbound: { maxConnections: 1 } });
  const session = await acquire();
  assert.equal(await hop.probe(t.signal), true);
  session.release();
});

test('close: idle ones say QUIT, waiters are sent away, the one in use may finish', async (t) => {
  const scripts = [opened + delivered + goodbye, opened + goodbye];
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
  const { hop, acquire, peer, count } = await stage(t, [`${opened}\ngone`], overrides);
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
  const { hop, acquire, count } = await stage(t, [`${opened}\nC: QUIT\ndrain`], { timeouts: { quit: 50 } });
  (await acquire()).release();
  await hop.close();
  assert.deepEqual(count, { open: 0, idle: 0 });
});
