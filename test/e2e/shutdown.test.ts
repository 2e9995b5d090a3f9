import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startAzurite } from '../harness/azurite.ts';
import { buildMessage } from '../harness/build-message.ts';
import { prepareDetach, type DetachInstance } from '../harness/detach-mta.ts';
import { isAlive } from '../harness/process.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail, transact } from '../harness/send-mail.ts';
import { SmtpDialog } from '../harness/smtp-dialog.ts';
import { startSink } from '../harness/sink.ts';
import { waitFor } from '../harness/wait.ts';
import { linkIn, startBetween } from './chain.ts';

/** What docs/operations.md promises, and what service managers are told. */
const limitMs = 60_000;

const envelope = { from: 'a@example.com', to: ['b@example.org'] };

const all = (detach: DetachInstance): readonly number[] => [...detach.processes(), ...detach.processes('link')];

/** Nothing was under way, so every process has heard the order and ended, and none was killed at the deadline. */
const assertOfThemselves = (detach: DetachInstance, since: number): void =>
  assert.ok(!detach.events.slice(since).some(({ event }) => event === 'workers-killed'), detach.describe());

test('SIGTERM during the first start, however early: everything ends, with 0 once signals are handled', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite());
  const sink = await scenario.use(startSink());
  const detach = await prepareDetach({ nextHop: sink.port, storage: azurite.connectionString });
  await scenario.use(Promise.resolve(detach));
  for (const delay of [0, 100, 300]) {
    const since = detach.events.length;
    const child = detach.launch();
    const ended = once(child, 'exit');
    await detach.waitForEvent('starting', undefined, { since });
    await pause(delay);
    const children = all(detach);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    assert.deepEqual(children.filter(isAlive), []);
    assertOfThemselves(detach, since);
    assert.ok(!detach.events.slice(since).some(({ event }) => event === 'start-failed'));
  }
});

test('SIGTERM while a lost worker is being replaced, at any time of that', async (t) => {
  const { detach } = await startBetween(new Scenario(t), { detach: { workers: 2 } });
  for (const delay of [0, 900, 1100, 1400]) {
    const since = detach.events.length;
    process.kill(detach.processes()[0] ?? 0, 'SIGKILL');
    await detach.waitForEvent('worker-lost', undefined, { since });
    await pause(delay);
    const children = all(detach);
    assert.equal(await detach.kill('SIGTERM'), 0);
    assert.deepEqual(children.filter(isAlive), []);
    assertOfThemselves(detach, since);
    await assert.rejects(SmtpDialog.connect(detach.port), { code: 'ECONNREFUSED' });
    await detach.start();
  }
});

test('SIGTERM during a reload', async (t) => {
  const { detach } = await startBetween(new Scenario(t));
  for (const delay of [0, 200]) {
    const since = detach.events.length;
    detach.signal('SIGHUP');
    await detach.waitForEvent('reloading', undefined, { since });
    await pause(delay);
    const children = all(detach);
    assert.equal(await detach.kill('SIGTERM'), 0);
    assert.deepEqual(children.filter(isAlive), []);
    assertOfThemselves(detach, since);
    assert.ok(!detach.events.slice(since).some(({ event }) => event === 'reload-failed'));
    await detach.start();
  }
});

test('SIGTERM with everything stalled at once: next hop, sender, reader and a frozen process', async (t) => {
  const scenario = new Scenario(t);
  const { detach, sink } = await startBetween(scenario, { detach: { workers: 2 } });
  const file = { name: 'f.bin', content: randomBytes(30_000_000, 'stalled') };
  await sendMail({ port: detach.port, ...envelope, message: buildMessage({ ...envelope, attachments: [file] }) });
  const reader = connect(detach.linksPort, '127.0.0.1');
  reader.on('error', () => undefined);
  reader.write(`GET ${new URL(`${linkIn(sink.messages[0]!.data)}/file`).pathname} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(reader, 'readable');

  // One process has a message at the final dot of a next hop that never answers; the other one is frozen.
  let atDot = false;
  sink.answer = async ({ stage }) => {
    if (stage === 'message') {
      atDot = true;
      await new Promise(() => undefined);
    }
    return undefined;
  };
  const [frozen = 0] = detach.processes();
  process.kill(frozen, 'SIGSTOP');
  const stalled = await SmtpDialog.open(detach.port);
  const sending = transact(stalled, { port: detach.port, ...envelope, message: buildMessage(envelope) });
  sending.catch(() => undefined);
  await waitFor(() => atDot, { what: 'the message to reach the next hop' });
  const halfway = await SmtpDialog.open(detach.port);
  await halfway.expect(250, 'EHLO a.example.com');
  await halfway.expect(250, 'MAIL FROM:<a@example.com>');
  await halfway.expect(250, 'RCPT TO:<b@example.org>');
  await halfway.expect(354, 'DATA');

  const children = all(detach);
  const began = performance.now();
  await detach.kill('SIGTERM');
  const seconds = (performance.now() - began) / 1000;
  t.diagnostic(`ended after ${seconds.toFixed(1)} s`);
  assert.ok(seconds * 1000 < limitMs, `${seconds} s`);
  await waitFor(() => !children.some(isAlive), { what: 'all processes to end' });
  await assert.rejects(sending, 'the sending server was told that it still has the message');
});

test('the supervisor alone is killed: the others stop taking mail and end by themselves', async (t) => {
  const { detach } = await startBetween(new Scenario(t), { detach: { workers: 2 } });
  const children = all(detach);
  assert.equal(children.length, 3);
  process.kill(detach.pid ?? 0, 'SIGKILL');
  await waitFor(() => !children.some(isAlive), { what: 'the processes to end' });
  await detach.start();
});
