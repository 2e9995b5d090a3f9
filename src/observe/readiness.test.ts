import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Readiness } from './readiness.ts';

const ready = (): Promise<boolean> => Promise.resolve(true);

test('what is not ready is named, in order; a check that throws is not ready', async () => {
  const readiness = new Readiness([
    { name: 'a', check: () => Promise.resolve(false) },
    { name: 'b', check: ready },
    { name: 'c', check: () => Promise.reject(new Error('gone')) },
    {
      name: 'd',
      check: () => {
        throw new Error('at once');
      },
    },
  ]);
  assert.deepEqual(await readiness.missing(), ['a', 'c', 'd']);
  assert.deepEqual(await new Readiness([]).missing(), []);
});

test('however many ask, the checks run once a second', async () => {
  let now = 5000;
  let runs = 0;
  let answer = true;
  const check = (): Promise<boolean> => {
    runs++;
    return Promise.resolve(answer);
  };
  const readiness = new Readiness([{ name: 'storage', check }], { now: () => now });
  await Promise.all(Array.from({ length: 50 }, () => readiness.missing()));
  assert.equal(runs, 1);
  answer = false;
  now += 999;
  assert.deepEqual(await readiness.missing(), []);
  assert.equal(runs, 1);
  now += 1;
  assert.deepEqual(await readiness.missing(), ['storage']);
  assert.equal(runs, 2);
});

test('a check that never answers is told to stop and counts as not ready', async () => {
  let signal: AbortSignal | undefined;
  const deaf = (given: AbortSignal): Promise<boolean> => {
    signal = given;
    return new Promise(() => undefined);
  };
  const readiness = new Readiness(
    [
      { name: 'deaf', check: deaf },
      { name: 'good', check: ready },
    ],
    { timeoutMs: 5 },
  );
  assert.deepEqual(await readiness.missing(), ['deaf']);
  assert.equal(signal?.aborted, true);
});

test('closing ends what is under way', async () => {
  const readiness = new Readiness([{ name: 'deaf', check: () => new Promise(() => undefined) }]);
  const missing = readiness.missing();
  readiness.close();
  assert.deepEqual(await missing, ['deaf']);
});
