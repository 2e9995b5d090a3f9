import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../test/harness/process.ts';
import { repository } from './places.ts';

const main = ['--import', 'tsx', `${repository}/lab/main.ts`];
const lab = (...args: readonly string[]): Promise<string> => run(process.execPath, [...main, ...args]);

function assertGood(output: string, checks = 9): void {
  assert.match(output, /^ {2}ok {4}detach-mta restore gives the original back, byte for byte$/m);
  assert.equal(output.match(/^ {2}ok {4}/gm)?.length, checks);
  assert.doesNotMatch(output, /FAIL|\x1b/);
}

test('the lab runs once from start to end and finds everything as it should be, two at once', async () => {
  const [output, other] = await Promise.all([lab('--once', '--verbose'), lab('lmtp', '--once')]);
  assertGood(output);
  assert.match(output, /Azurite/);
  assert.match(output, /^ {2}Postfix A +smtpd takes it/m);
  assert.match(output, /^ {2}Detach MTA +takes 2 files out/m);
  assert.match(output, /^ {2}Postfix B +smtpd takes it/m);
  assertGood(other);
  assert.match(other, /^ {2}Postfix +smtpd takes it.*\n +lmtp to \S+ for 3 of them: sent/m);
});

test('with a Milter, and as a content filter', async () => {
  const [milter, filter] = await Promise.all([lab('milter', '--once'), lab('single-postfix', '--once')]);
  assertGood(milter);
  assertGood(filter);
  assert.match(filter, /^ {2}Detach MTA .*\n {2}Postfix +reinject\/smtpd takes it/m);
});

test('before the queue, with files in a directory; with the settings of a small office', async () => {
  const [directory, office] = await Promise.all([
    lab('before-queue', '--directory', '--once'),
    lab('--settings', 'small-office', '--once'),
  ]);
  assertGood(directory);
  assert.doesNotMatch(directory, /Azurite/);
  assertGood(office);
  assert.match(office, /^ {2}Detach MTA +inbound\.maxClients +200 → 40$/m);
  assert.match(office, /^ +spool\.maxBytes +4GiB → 1GiB$/m);
  assert.match(office, /^ +links\.expiresAfter +90d → 365d$/m);
  assert.match(office, /^ {2}Postfix A +smtp_destination_concurrency_limit +20 → 10$/m);
});

test('the lab says which settings there are', async () => {
  await assert.rejects(lab('--once', '--settings', 'none'), /there are: provider, small-office, university\n/);
});

test('what the promise is worth is shown', async () => {
  const output = await lab('break', 'kill', 'disk', 'loop');
  assert.match(output, /lost connection with .* while sending/);
  assert.match(output, /said: 452 4\.3\.1 insufficient system storage/);
  assert.match(output, /554 5\.4\.0 Error: too many hops\n/);
  assert.match(output, /554 5\.4\.6 mail forwarding loop for <bob@example\.org>\n/);
  assert.match(output, /Nothing was lost, nothing came twice\.\n$/);
});
