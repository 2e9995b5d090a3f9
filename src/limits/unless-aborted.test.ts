import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { unlessAborted } from './unless-aborted.ts';

const never = new Promise<never>(() => undefined);

test('work is waited for until the signal is aborted', async () => {
  const controller = new AbortController();
  assert.equal(await unlessAborted(Promise.resolve('done'), controller.signal), 'done');
  await assert.rejects(unlessAborted(Promise.reject(new Error('broken')), controller.signal), /broken/);
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0, 'nothing listens any more');
  const waiting = unlessAborted(never, controller.signal);
  controller.abort(new Error('over'));
  await assert.rejects(waiting, /over/);
  await assert.rejects(unlessAborted(never, controller.signal), /over/);
});

test('work that fails after the signal was aborted rejects nowhere else', async () => {
  let fail: (error: Error) => void = () => undefined;
  const work = new Promise<never>((_, reject) => (fail = reject));
  await assert.rejects(unlessAborted(work, AbortSignal.abort(new Error('over'))), /over/);
  fail(new Error('late'));
  await new Promise((resolve) => setImmediate(resolve));
});
