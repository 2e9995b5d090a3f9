import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import type { DetachInstance } from '../harness/detach-mta.ts';
import { isAlive } from '../harness/process.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail, transact } from '../harness/send-mail.ts';
import { SmtpDialog } from '../harness/smtp-dialog.ts';
import { waitFor } from '../harness/wait.ts';
import { startBetween } from './chain.ts';

const envelope = { from: 'a@example.com', to: ['b@example.org'] };
const message = buildMessage(envelope);

const delivered = async (detach: DetachInstance): Promise<number> =>
  Number(/^detach_mta_transactions_total\{outcome="delivered"\} (\d+)$/m.exec((await detach.metrics()).text)?.[1]);

/** Two connections at each of two workers. The system gives a connection to whichever is awake first. */
async function openAtBoth(detach: DetachInstance): Promise<readonly SmtpDialog[]> {
  const dialogs: SmtpDialog[] = [];
  for (const other of detach.processes()) {
    process.kill(other, 'SIGSTOP');
    dialogs.push(await SmtpDialog.open(detach.port), await SmtpDialog.open(detach.port));
    process.kill(other, 'SIGCONT');
  }
  return dialogs;
}

test('two workers share the connections; the figures are those of both', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), { detach: { workers: 2 } });
  assert.equal(detach.processes().length, 2);
  const dialogs = await openAtBoth(detach);
  const file = { name: 'f.bin', content: randomBytes(200_000, 'workers') };
  await Promise.all(
    dialogs.map(async (dialog, i) => {
      await dialog.expect(250, 'EHLO a.example.com');
      for (let n = 0; n < 5; n += 1) {
        const mail = buildMessage({ ...envelope, subject: `${i}.${n}`, attachments: [file] });
        const { final } = await transact(dialog, { port: detach.port, ...envelope, message: mail });
        assert.equal(final[0]?.code, 250);
      }
      await dialog.quit();
    }),
  );
  assert.equal(sink.messages.length, 20);
  assert.equal(await delivered(detach), 20);
  // The first characters of an id are the worker's.
  const ids = detach.events.filter(({ event }) => event === 'transaction').map(({ id }) => String(id).slice(0, 8));
  assert.equal(new Set(ids).size, 2);
});

test('a worker that is killed is replaced, and only its connections are lost', async (t) => {
  const { detach } = await startBetween(new Scenario(t), { detach: { workers: 2 } });
  const dialogs = await openAtBoth(detach);
  for (const dialog of dialogs) await dialog.expect(250, 'EHLO a.example.com');
  const [lost = 0] = detach.processes();
  process.kill(lost, 'SIGKILL');
  const event = await detach.waitForEvent('worker-lost');
  assert.deepEqual({ pid: event['pid'], signal: event['signal'] }, { pid: lost, signal: 'SIGKILL' });
  await waitFor(() => dialogs.filter((dialog) => dialog.closed).length === 2, { what: 'its connections to be lost' });
  const [left] = dialogs.filter((dialog) => !dialog.closed);
  await left?.expect(250, 'NOOP');
  await waitFor(() => detach.processes().length === 2, { what: 'another worker' });
  for (let i = 0; i < 4; i += 1) {
    const { final } = await sendMail({ port: detach.port, ...envelope, message });
    assert.equal(final[0]?.code, 250);
  }
  assert.equal((await detach.metrics('/readyz')).status, 200);
});

test('a service whose first process is killed leaves nobody behind, and starts again at once', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), { detach: { workers: 2 } });
  const workers = detach.processes();
  await detach.restart('SIGKILL');
  await waitFor(() => !workers.some(isAlive), { what: 'the workers to end' });
  await sendMail({ port: detach.port, ...envelope, message });
  assert.equal(sink.messages.length, 1);
});

test('SIGTERM, to one process or to all as service managers send it: what is under way is finished', async (t) => {
  for (const toAll of [false, true]) {
    const { detach } = await startBetween(new Scenario(t), { detach: { workers: 2 } });
    const workers = detach.processes();
    const dialog = await SmtpDialog.open(detach.port);
    await dialog.expect(250, 'EHLO a.example.com');
    await dialog.expect(250, 'MAIL FROM:<a@example.com>');
    await dialog.expect(250, 'RCPT TO:<b@example.org>');
    await dialog.expect(354, 'DATA');
    if (toAll) for (const pid of workers) process.kill(pid, 'SIGTERM');
    const ended = detach.kill('SIGTERM');
    await detach.waitForEvent('stopping');
    await dialog.expect(250, 'Subject: x\r\n\r\nx\r\n.');
    assert.equal(await ended, 0);
    assert.deepEqual(workers.filter(isAlive), []);
  }
});

test('what a worker cannot start with ends the service with its status', async (t) => {
  const scenario = new Scenario(t);
  const { detach } = await startBetween(scenario);
  const { port } = detach;
  await assert.rejects(
    startBetween(scenario, { detach: { workers: 2, inbound: { port } } }),
    /ended with 69[^]*EADDRINUSE/,
  );
});
