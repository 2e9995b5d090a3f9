import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../smtp/failures.ts';
import { ClientTurns } from './client-turns.ts';

const { signal } = new AbortController();
const day = 86_400_000;

/** Turns of ten sessions, and their clock. */
function ofTen(patience = 60_000) {
  const clock = { now: 0 };
  return { clock, turns: new ClientTurns({ sessions: 10, patience, now: () => clock.now }) };
}

/** So many turns, each at once. */
function take(turns: ClientTurns, client: string, count: number): (() => void)[] {
  return Array.from({ length: count }, () => {
    const end = turns.enter(client, signal);
    assert.ok(typeof end === 'function', `${client} waits`);
    return end;
  });
}

test('a client that is alone uses all sessions', () => {
  const { turns } = ofTen();
  take(turns, 'a', 25);
});

test('while another client is present, none uses more than four in five; after a day without it, all again', async () => {
  const { turns, clock } = ofTen();
  const [endOther] = take(turns, 'b', 1);
  const ends = take(turns, 'a', 8);
  const waiting = turns.enter('a', signal);
  assert.ok(waiting instanceof Promise);
  take(turns, 'b', 1)[0]!();
  ends[0]!();
  (await waiting)();
  endOther!();
  clock.now = 2 * day;
  take(turns, 'a', 20);
});

test('what a client uses beyond its share when another one comes becomes less as it ends', async () => {
  const { turns } = ofTen();
  const ends = take(turns, 'a', 10);
  take(turns, 'b', 1);
  const waiting = turns.enter('a', signal);
  assert.ok(waiting instanceof Promise);
  const state = { granted: false };
  void waiting.then(() => (state.granted = true));
  ends[0]!();
  ends[1]!();
  await new Promise(setImmediate);
  assert.equal(state.granted, false);
  ends[2]!();
  await waiting;
});

test('turns are given in the order in which they were asked for', async () => {
  const { turns } = ofTen();
  take(turns, 'b', 1);
  const [end] = take(turns, 'a', 8);
  const order: number[] = [];
  const waiting = [1, 2].map(async (i) => {
    const done = await turns.enter('a', signal);
    order.push(i);
    done();
  });
  end!();
  await Promise.all(waiting);
  assert.deepEqual(order, [1, 2]);
});

test('who waits too long is told that the next hop is busy, and who has gone waits no more; neither keeps a turn', async () => {
  const { turns } = ofTen(10);
  take(turns, 'b', 1);
  const ends = take(turns, 'a', 8);
  await assert.rejects(
    async () => turns.enter('a', signal),
    (error) => error instanceof Failure && error.kind === 'nextHopBusy',
  );
  const gone = new AbortController();
  const waiting = turns.enter('a', gone.signal);
  gone.abort(new Failure('clientGone'));
  await assert.rejects(
    async () => waiting,
    (error) => error instanceof Failure && error.kind === 'clientGone',
  );
  for (const end of ends) end();
  take(turns, 'a', 8);
});
