import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../config/config.ts';
import { Ledger } from './ledger.ts';
import { limitsOf } from './limits-of.ts';
import type { ToProcess, ToSupervisor } from './messages.ts';
import { SharedClients } from './shared-clients.ts';
import { SharedLimits } from './shared-limits.ts';
import { SharedSpace } from './shared-space.ts';

const config = {
  inbound: { maxClients: 3, maxClientsPerAddress: 2 },
  outbound: { maxConnections: 2 },
  spool: { maxBytes: 100 },
} as Config;

type ToLedger = Parameters<Ledger['receive']>[1];

/** A process with its side of the limits. Messages take a turn of the event loop, as between processes. */
class Process {
  readonly limits: SharedLimits;
  /** Messages to the supervisor. */
  said = 0;
  frozen = false;
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.limits = new SharedLimits((message: ToSupervisor) => {
      this.said += 1;
      setImmediate(() => ledger.receive(this, message as ToLedger));
    });
    ledger.join(this);
  }

  send(message: ToProcess): void {
    setImmediate(() => {
      if (this.frozen) return;
      if (message.kind === 'leased') this.limits.leased(message);
      if (message.kind === 'recall') this.limits.recall(message);
    });
  }

  die(): void {
    this.frozen = true;
    this.#ledger.leave(this);
  }
}

function service(limit: number): { readonly ledger: Ledger; readonly a: Process; readonly b: Process } {
  const ledger = new Ledger(() => limit);
  return { ledger, a: new Process(ledger), b: new Process(ledger) };
}

/** How many of `count` attempts to take one succeed. */
async function take(process: Process, count: number): Promise<number> {
  const quota = process.limits.quota('clients');
  const taken = await Promise.all(Array.from({ length: count }, async () => quota.tryTake(1)));
  return taken.filter(Boolean).length;
}

test('the limit holds over all processes, however unevenly they take', async () => {
  for (const [first, second] of [
    [100, 100],
    [3, 100],
    [90, 20],
  ] as const) {
    const { a, b } = service(100);
    const mine = await take(a, first);
    assert.equal(mine, Math.min(first, 100));
    assert.equal(await take(b, second), Math.min(second, 100 - first));
  }
});

test('what one process holds without using it goes to another that asks', async () => {
  const { a, b } = service(160);
  assert.equal(await take(a, 2), 2);
  assert.equal(await take(b, 159), 158);
  a.limits.quota('clients').give(1);
  assert.equal(await take(b, 1), 1);
  assert.equal(await take(b, 1), 0);
});

test('within its lease a process asks nobody', async () => {
  const { a } = service(1000);
  await take(a, 1);
  const before = a.said;
  const quota = a.limits.quota('clients');
  for (let i = 0; i < 1000; i += 1) {
    assert.equal(quota.tryTake(1), true);
    quota.give(1);
  }
  assert.equal(a.said, before);
});

test('what a lost process held is free again, and a frozen one delays the others for a moment only', async () => {
  const { a, b } = service(10);
  assert.equal(await take(a, 10), 10);
  a.frozen = true;
  assert.equal(await take(b, 1), 0);
  a.die();
  assert.equal(await take(b, 11), 10);
});

test('more than there is, although each part of it would be there: refused at once, and nothing is lost', async () => {
  const { a, b } = service(100);
  for (const process of [a, b]) assert.equal(await process.limits.quota('clients').tryTake(40), true);
  a.said = 0;
  // 20 are left, some of them unused in the lease of the one that asks.
  const asked = Promise.resolve(a.limits.quota('clients').tryTake(25));
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  assert.ok(a.said <= 4, `${a.said} messages`);
  assert.equal(await asked, false);
  assert.equal(await a.limits.quota('clients').tryTake(20), true);
  assert.equal(await b.limits.quota('clients').tryTake(1), false);
});

test('each key has a count of its own, and costs nothing once it is not used', async () => {
  const { a, b } = service(2);
  const of = (process: Process, key: string): boolean | Promise<boolean> =>
    process.limits.keyed('clientsPerAddress').of(key).tryTake(1);
  assert.deepEqual(await Promise.all([of(a, '1'), of(b, '1'), of(a, '2')]), [true, true, true]);
  assert.equal(await of(a, '1'), false);
  assert.equal(await of(b, '2'), true);
});

test('a smaller limit after a reload: nothing is granted until enough was given back', async () => {
  const { ledger, a, b } = service(10);
  assert.equal(await take(a, 8), 8);
  ledger.limitOf = () => 4;
  assert.equal(await take(b, 1), 0);
  for (let i = 0; i < 5; i += 1) a.limits.quota('clients').give(1);
  assert.equal(await take(b, 2), 1);
});

/** Takes a place, and resolves with what gives it back. */
const place = ({ limits }: Process): Promise<() => void> =>
  new Promise((resolve) => limits.connections.request(() => resolve(() => limits.connections.free())));

test('places: who waits gets the next one that is given back, in whatever process', async () => {
  const { a, b } = service(2);
  const first = await place(a);
  await place(a);
  let served = false;
  const waiting = place(b).then(() => (served = true));
  await new Promise(setImmediate);
  assert.equal(served, false);
  first();
  await waiting;
});

test('places: a process that keeps none unused owes those beyond its fair share, and no more', async () => {
  const { a, b } = service(4);
  const held = await Promise.all([place(a), place(a), place(a), place(a)]);
  const granted: number[] = [];
  const waiting = [1, 2, 3].map((i) => place(b).then(() => granted.push(i)));
  while (!a.limits.connections.wanted) await new Promise(setImmediate);
  let owed = 0;
  const owes = (): boolean => a.limits.connections.wanted;
  for (; owes(); owed += 1) {
    held[owed]?.();
    await waiting[owed];
  }
  assert.equal(owed, 2);
  assert.deepEqual(granted, [1, 2]);
});

test('places: a request that is withdrawn gets none, not even one that was on its way', async () => {
  const { a, b } = service(1);
  let got = false;
  a.limits.connections.request(() => (got = true))();
  await place(b);
  assert.equal(got, false);
});

/** Lets messages between processes arrive, and their answers. */
async function arrive(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise(setImmediate);
}

test('places: one that was granted too late serves the next request at once', async () => {
  const { a } = service(1);
  a.limits.connections.request(() => assert.fail('withdrawn'))();
  await arrive();
  let got = false;
  a.limits.connections.request(() => (got = true));
  assert.ok(got);
});

test('places: one that was granted too late is given back when nobody asks for it', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { a, b } = service(1);
  a.limits.connections.request(() => assert.fail('withdrawn'))();
  await arrive();
  t.mock.timers.tick(5000);
  t.mock.timers.tick(5000);
  await arrive();
  // It can no longer be asked for it.
  a.frozen = true;
  assert.ok(await place(b));
});

test('what is given back serves the next requests without a word, and the others after a while', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { a, b } = service(64);
  assert.equal(await take(a, 60), 60);
  const { said } = a;
  for (let i = 0; i < 60; i += 1) a.limits.quota('clients').give(1);
  assert.equal(await take(a, 60), 60);
  assert.equal(a.said, said);
  for (let i = 0; i < 60; i += 1) a.limits.quota('clients').give(1);
  t.mock.timers.tick(5000);
  t.mock.timers.tick(5000);
  await arrive();
  a.frozen = true;
  assert.equal(await take(b, 64), 64);
});

test('places: those kept idle are given up for another process', async () => {
  const { a, b } = service(2);
  const idle = await Promise.all([place(a), place(a)]);
  a.limits.connections.onWanted = (count) => {
    for (const free of idle.splice(0, count)) free();
  };
  await place(b);
  assert.equal(idle.length, 1);
});

test('the spool is counted for the service: what one process holds is missing in the other, for its client as well', async () => {
  const ledger = new Ledger(limitsOf(config));
  const [a, b] = [new Process(ledger), new Process(ledger)].map(({ limits }) => new SharedSpace(limits));
  assert.ok(a && b);
  assert.equal(await a.take(90, '192.0.2.1'), undefined);
  assert.match((await b.take(11, '192.0.2.1')) ?? '', /192\.0\.2\.1/);
  assert.equal(await b.take(10, '192.0.2.2'), undefined);
  assert.match((await a.take(1, '192.0.2.2')) ?? '', /spool is full/);
  a.give(90, '192.0.2.1');
  assert.equal(await b.take(40, '192.0.2.2'), undefined);
  assert.match((await b.take(1, '192.0.2.2')) ?? '', /192\.0\.2\.2 holds its share/);
  assert.equal(await b.take(50, '192.0.2.1'), undefined);
});

test('clients are counted for the service, in all and by address', async () => {
  const ledger = new Ledger(limitsOf(config));
  const [a, b] = [new Process(ledger), new Process(ledger)].map(({ limits }) => new SharedClients(limits));
  assert.ok(a && b);
  const entered = async (clients: SharedClients, address: string): Promise<string> => {
    const admission = await clients.enter(address);
    return admission.kind === 'admitted' ? 'admitted' : admission.failure;
  };
  const first = await a.enter('192.0.2.1');
  assert.equal(await entered(b, '192.0.2.1'), 'admitted');
  assert.equal(await entered(b, '192.0.2.1'), 'tooManyClientsFromAddress');
  assert.equal(await entered(b, '192.0.2.2'), 'admitted');
  assert.equal(await entered(a, '192.0.2.3'), 'tooManyClients');
  assert.ok(first.kind === 'admitted');
  first.leave();
  assert.equal(await entered(b, '192.0.2.1'), 'admitted');
});

test('a burst of one address does not take the places of others, not even for a moment', async () => {
  const ledger = new Ledger(limitsOf(config));
  const [a, b] = [new Process(ledger), new Process(ledger)].map(({ limits }) => new SharedClients(limits));
  assert.ok(a && b);
  const burst = Array.from({ length: 20 }, async (_, i) => (i % 2 === 0 ? a : b).enter('192.0.2.1'));
  const other = await b.enter('192.0.2.2');
  assert.equal(other.kind, 'admitted');
  const failures = (await Promise.all(burst)).map((each) => (each.kind === 'admitted' ? each.kind : each.failure));
  assert.deepEqual([...new Set(failures)].sort(), ['admitted', 'tooManyClientsFromAddress']);
});
