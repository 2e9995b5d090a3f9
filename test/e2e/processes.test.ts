import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { startAzurite } from '../harness/azurite.ts';
import { buildMessage } from '../harness/build-message.ts';
import { startDetach } from '../harness/detach-mta.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { SmtpDialog } from '../harness/smtp-dialog.ts';
import { startSink } from '../harness/sink.ts';
import { waitFor } from '../harness/wait.ts';
import { linkIn, startBetween } from './chain.ts';

const mib = 1024 * 1024;
const envelope = { from: 'a@example.com', to: ['b@example.org'] };
const message = buildMessage(envelope);

for (const workers of [1, 2])
  test(`idle, all processes together stay under 220 MB with ${workers} of them for mail`, async (t) => {
    const { detach } = await startBetween(new Scenario(t), { detach: { workers } });
    await sendMail({ port: detach.port, ...envelope, message });
    await fetch(`http://127.0.0.1:${detach.linksPort}/x`);
    await detach.metrics('/readyz');
    const bytes = detach.sharedMemory();
    t.diagnostic(`PSS: ${Math.round(bytes / mib)} MiB`);
    assert.ok(bytes < 220 * 1e6, `${Math.round(bytes / mib)} MiB`);
  });

test('maxClients holds for the service: over two workers, over both generations of a reload, and after a loss', async (t) => {
  const { detach } = await startBetween(new Scenario(t), { detach: { workers: 2, inbound: { maxClients: 12 } } });
  /** Connects until one is refused. */
  const fill = async (): Promise<SmtpDialog[]> => {
    const dialogs: SmtpDialog[] = [];
    for (;;) {
      const dialog = await SmtpDialog.connect(detach.port);
      const { code } = await dialog.read();
      if (code !== 220) return dialogs;
      dialogs.push(dialog);
    }
  };
  const first = await fill();
  assert.equal(first.length, 12);
  // Each is in the middle of a transaction, so that the old generation keeps it.
  for (const dialog of first) {
    await dialog.expect(250, 'EHLO a.example.com');
    await dialog.expect(250, 'MAIL FROM:<a@example.com>');
    await dialog.expect(250, 'RCPT TO:<b@example.org>');
    await dialog.expect(354, 'DATA');
  }
  const old = detach.processes();
  await detach.reload({ inbound: { maxClients: 15 } });
  const second = await fill();
  assert.equal(second.length, 3);
  // Two of the old generation leave: their places are free for the new one.
  for (const dialog of first.splice(0, 2)) dialog.abort();
  await waitFor(async () => second.push(...(await fill())) && second.length === 5, { what: 'two places' });
  for (const pid of old) process.kill(pid, 'SIGKILL');
  await waitFor(async () => second.push(...(await fill())) && second.length === 15, { what: 'all places' });
});

test('outbound.maxConnections holds for the service, and a worker gives up sessions that it does not use', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), {
    detach: { workers: 2, outbound: { maxConnections: 2, maxIdle: 2, idleTimeout: 600 } },
  });
  const [frozen = 0, other = 0] = detach.processes();
  for (const [stopped] of [[frozen], [other], [frozen]] as const) {
    process.kill(stopped, 'SIGSTOP');
    const dialogs = await Promise.all([SmtpDialog.open(detach.port), SmtpDialog.open(detach.port)]);
    process.kill(stopped, 'SIGCONT');
    for (const dialog of dialogs) {
      await dialog.expect(250, 'EHLO a.example.com');
      await dialog.expect(250, 'MAIL FROM:<a@example.com>');
    }
    assert.ok(sink.openSessions <= 2, `${sink.openSessions} sessions`);
    await Promise.all(dialogs.map((dialog) => dialog.quit()));
  }
});

test('the process for pages is lost: mail goes on, and pages come back with the connections that waited', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  const file = { name: 'f.bin', content: randomBytes(200_000, 'pages') };
  await sendMail({ port: detach.port, ...envelope, message: buildMessage({ ...envelope, attachments: [file] }) });
  const [pages = 0] = detach.processes('link');
  process.kill(pages, 'SIGKILL');
  const lost = await detach.waitForEvent('worker-lost');
  assert.equal(lost['pid'], pages);
  const page = fetch(linkIn(sink.messages[0]!.data));
  assert.equal((await sendMail({ port: detach.port, ...envelope, message })).final[0]?.code, 250);
  assert.equal((await page).status, 200);
});

test('secrets from the environment reach no other process by environment or arguments', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite());
  const sink = await scenario.use(startSink());
  const secret = randomBytes(32, 'secret').toString('base64');
  const detach = await scenario.use(
    startDetach({
      nextHop: sink.port,
      storage: azurite.connectionString,
      env: { DETACH_LOOPGUARD_KEYS: `k9:${secret}` },
    }),
  );
  for (const pid of [...detach.processes(), ...detach.processes('link')]) {
    for (const file of ['environ', 'cmdline']) {
      const text = readFileSync(`/proc/${pid}/${file}`, 'latin1');
      assert.ok(!text.includes(secret) && !text.includes('DETACH_'), file);
    }
  }
  assert.equal((await sendMail({ port: detach.port, ...envelope, message })).final[0]?.code, 250);
  assert.match(sink.messages[0]!.data.toString('latin1'), /k9/);
});

test('storage and spool that do not answer are named in the line that says ready; mail without files passes', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite());
  const sink = await scenario.use(startSink());
  const storage = azurite.connectionString.replaceAll(`:${azurite.port}`, ':1');
  const config = { spool: { directory: '/proc/nowhere' } };
  const detach = await scenario.use(startDetach({ nextHop: sink.port, storage, config }));
  const ready = await detach.waitForEvent('ready');
  assert.deepEqual(ready['notReady'], ['storage', 'spool']);
  assert.equal((await sendMail({ port: detach.port, ...envelope, message })).final[0]?.code, 250);
});
