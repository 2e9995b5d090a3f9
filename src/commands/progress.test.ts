import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { waitFor } from '../../test/harness/wait.ts';
import { showProgress, showWaiting } from './progress.ts';

function terminal(isTTY: boolean): { readonly errors: Writable; readonly text: () => string } {
  let text = '';
  const errors = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { errors: Object.assign(errors, { isTTY }), text: () => text };
}

test('what is waited for is shown on a terminal, as it is then, and cleared at the end', async () => {
  const { errors, text } = terminal(true);
  let step = 'one';
  const stop = showWaiting(errors, () => step);
  await waitFor(() => text().includes('one'), { what: 'the first line' });
  step = 'two';
  await waitFor(() => text().includes('two'), { what: 'the second line' });
  stop();
  assert.ok(text().endsWith('\r\x1b[K'), JSON.stringify(text()));
});

test('what ends soon shows nothing, and clears nothing', () => {
  const { errors, text } = terminal(true);
  showWaiting(errors, () => 'one')();
  showProgress(errors)('links', 1);
  assert.equal(text(), '');
});

test('nothing is written where there is no terminal', async () => {
  const [{ errors, text }, other] = [terminal(false), terminal(true)];
  const stops = [showWaiting(errors, () => 'one'), showWaiting(other.errors, () => 'one')];
  const progress = showProgress(errors);
  await waitFor(() => other.text() !== '', { what: 'a terminal beside it' });
  progress('links', 1000);
  stops.forEach((stop) => stop());
  assert.equal(text(), '');
});
