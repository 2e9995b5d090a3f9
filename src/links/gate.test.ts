import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BusyError, Gate } from './gate.ts';
import { Remembered } from './remembered.ts';

const options = { places: 4, waiting: 4, waitMs: 50, sharePerClient: 0.5 };

function held(): { readonly work: () => Promise<void>; readonly end: () => void } {
  let end: () => void = () => undefined;
  const done = new Promise<void>((resolve) => (end = resolve));
  return { work: () => done, end };
}

test('one client has its share of places and queue, others find room', async () => {
  const gate = new Gate(options);
  const flood = held();
  const tries = Array.from({ length: 10 }, () => gate.run('a', flood.work));
  const refused = tries.slice(4).map((each) => assert.rejects(each, BusyError));
  await gate.run('b', () => Promise.resolve());
  await Promise.all(refused);
  const late = tries.slice(2, 4).map((each) => assert.rejects(each, /in time/));
  await Promise.all(late);
  flood.end();
  await Promise.all(tries.slice(0, 2));
  // All places are free again: every client can have its whole share.
  const again = ['a', 'a', 'b', 'b'].map((client) => gate.run(client, () => Promise.resolve(client)));
  assert.deepEqual(await Promise.all(again), ['a', 'a', 'b', 'b']);
});

test('who waits gets the place of who leaves, also of who fails, and a full client is passed over', async () => {
  const gate = new Gate({ ...options, places: 2, waitMs: 60_000 });
  const [first, second] = [held(), held()];
  const one = gate.run('a', first.work);
  const two = gate.run('b', second.work);
  const order: string[] = [];
  const next = gate.run('a', () => Promise.reject(new Error('broken')));
  const other = gate.run('c', () => Promise.resolve(order.push('c')));
  second.end();
  await Promise.all([two, other]);
  assert.deepEqual(order, ['c']);
  first.end();
  await one;
  await assert.rejects(next, /broken/);
  assert.equal(await gate.run('d', () => Promise.resolve(1)), 1);
});

test('an answer is remembered for a moment, failures never, and never too many', async () => {
  let now = 0;
  const remembered = new Remembered<number>({ entries: 3, ms: 100, clock: () => now });
  let asked = 0;
  const ask = (): Promise<number> => Promise.resolve(++asked);
  assert.equal(await remembered.get('a', ask), 1);
  now = 99;
  assert.equal(await remembered.get('a', ask), 1);
  now = 100;
  assert.equal(await remembered.get('a', ask), 2);
  await assert.rejects(remembered.get('b', () => Promise.reject(new Error('down'))));
  assert.equal(await remembered.get('b', ask), 3);
  for (const key of 'cdefghij') await remembered.get(key, ask);
  assert.equal(remembered.size, 3);
});
