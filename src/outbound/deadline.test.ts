import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import { Deadline } from './deadline.ts';

/** A clock that only `pass` moves. */
function clock(t: TestContext): { readonly pass: (ms: number) => void } {
  let now = 1000;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(performance, 'now', () => now);
  return {
    pass(ms) {
      for (let i = 0; i < ms; i++) {
        now += 1;
        t.mock.timers.tick(1);
      }
    },
  };
}

test('missed once, when the time is up', (t) => {
  const { pass } = clock(t);
  const missed = mock.fn();
  new Deadline().set(100, missed);
  pass(99);
  assert.equal(missed.mock.callCount(), 0);
  pass(1);
  assert.equal(missed.mock.callCount(), 1);
  pass(1000);
  assert.equal(missed.mock.callCount(), 1);
});

test('set again: only the last one holds, be it later or sooner', (t) => {
  const { pass } = clock(t);
  for (const [first, second] of [
    [100, 150],
    [100, 1000],
    [1000, 100],
  ] as const) {
    const deadline = new Deadline();
    const early = mock.fn();
    const late = mock.fn();
    deadline.set(first, early);
    pass(50);
    deadline.set(second, late);
    pass(second - 1);
    assert.equal(late.mock.callCount(), 0, `${first}, then ${second}`);
    pass(1);
    assert.equal(late.mock.callCount(), 1, `${first}, then ${second}`);
    pass(2000);
    assert.equal(early.mock.callCount(), 0, `${first}, then ${second}`);
  }
});

test('lifted: not missed, and the next one is not held by the timer that was left', (t) => {
  const { pass } = clock(t);
  const deadline = new Deadline();
  const lifted = mock.fn();
  const missed = mock.fn();
  deadline.set(100, lifted);
  deadline.lift();
  pass(500);
  assert.equal(lifted.mock.callCount(), 0);
  deadline.set(100, lifted);
  pass(10);
  deadline.lift();
  deadline.set(50, missed);
  pass(50);
  assert.equal(missed.mock.callCount(), 1);
  assert.equal(lifted.mock.callCount(), 0);
});

test('set by what it calls', (t) => {
  const { pass } = clock(t);
  const deadline = new Deadline();
  const missed = mock.fn();
  deadline.set(10, () => deadline.set(10, missed));
  pass(19);
  assert.equal(missed.mock.callCount(), 0);
  pass(1);
  assert.equal(missed.mock.callCount(), 1);
});

test('a thousand replies in time take one timer', (t) => {
  const { pass } = clock(t);
  const timers = t.mock.method(globalThis, 'setTimeout');
  const deadline = new Deadline();
  for (let i = 0; i < 1000; i++) {
    deadline.set(300_000, () => assert.fail('missed'));
    deadline.lift();
  }
  assert.equal(timers.mock.callCount(), 1);
  deadline.close();
  pass(300_000);
});
