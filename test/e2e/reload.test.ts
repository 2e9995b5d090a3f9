import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { startDetach } from '../harness/detach-mta.ts';
import { freePort } from '../harness/ports.ts';
import { isAlive } from '../harness/process.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail, transact } from '../harness/send-mail.ts';
import { startSink } from '../harness/sink.ts';
import { SmtpDialog } from '../harness/smtp-dialog.ts';
import { storageDirectory } from '../harness/stored-files.ts';
import { waitFor } from '../harness/wait.ts';
import { linkIn, startBetween } from './chain.ts';

const envelope = { from: 'a@example.com', to: ['b@example.org'] };
const message = buildMessage(envelope);

test('reloads under load: every connection is taken, every message is delivered once', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), { detach: { workers: 2 } });
  const first = detach.processes();
  const kept = await SmtpDialog.open(detach.port);
  await transact(kept, { port: detach.port, ...envelope, message: buildMessage({ ...envelope, subject: 'kept' }) });

  let going = true;
  let sent = 0;
  const load = Array.from({ length: 4 }, async () => {
    while (going) {
      sent += 1;
      const subject = `number ${sent}.`;
      const { final } = await sendMail({
        port: detach.port,
        ...envelope,
        message: buildMessage({ ...envelope, subject }),
      });
      assert.equal(final[0]?.code, 250, subject);
    }
  });
  await detach.reload();
  await detach.reload();
  going = false;
  await Promise.all(load);

  // A session that a client keeps is ended when it has been idle for a while, with the reply that tells it so.
  assert.match(await kept.waitForClose(), /^421 4\.3\.2 /);
  await waitFor(() => !first.some(isAlive), { what: 'the first processes to go', detail: () => detach.describe() });
  const subjects = sink.messages.map(({ data }) => /^Subject: (.*)$/m.exec(data.toString('latin1'))?.[1]);
  assert.equal(subjects.length, sent + 1);
  assert.equal(new Set(subjects).size, sent + 1);
  assert.equal(detach.events.filter(({ event }) => event === 'ready').length, 1);
  const delivered = /^detach_mta_transactions_total\{outcome="delivered"\} (\d+)$/m.exec((await detach.metrics()).text);
  assert.equal(Number(delivered?.[1]), sent + 1, 'what the processes that have gone had counted stays counted');
});

test('what is under way when a reload comes is finished by the processes that have it', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  const [before = 0] = detach.processes();
  const dialog = await SmtpDialog.open(detach.port);
  await dialog.expect(250, 'EHLO a.example.com');
  await dialog.expect(250, 'MAIL FROM:<a@example.com>');
  await dialog.expect(250, 'RCPT TO:<b@example.org>');
  await dialog.expect(354, 'DATA');
  await dialog.write('Subject: slow\r\n\r\n');
  await detach.reload({ inbound: { maxMessageSize: 12_345_678 } });
  assert.ok(isAlive(before));
  const later = await SmtpDialog.open(detach.port);
  assert.match((await later.say('EHLO b.example.com')).text, /SIZE 12345678/);
  await later.quit();
  await dialog.expect(250, 'x\r\n.');
  assert.match(await dialog.waitForClose(), /^421 /);
  await waitFor(() => !isAlive(before), { what: 'the first mail process to go' });
  assert.equal(sink.messages.length, 1);
});

test('a reload that fails cuts nothing of what older processes still finish', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  const [first = 0] = detach.processes();
  const dialog = await SmtpDialog.open(detach.port);
  await dialog.expect(250, 'EHLO a.example.com');
  await dialog.expect(250, 'MAIL FROM:<a@example.com>');
  await dialog.expect(250, 'RCPT TO:<b@example.org>');
  await dialog.expect(354, 'DATA');
  await detach.reload();
  // The configuration is good, its address cannot be opened.
  detach.configure({ inbound: { address: '192.0.2.1' } });
  detach.signal('SIGHUP');
  await detach.waitForEvent('reload-failed');
  assert.ok(isAlive(first), detach.describe());
  await dialog.expect(250, 'Subject: slow\r\n\r\nx\r\n.');
  assert.equal(sink.messages.length, 1);
});

test('a wrong configuration: each error is logged, and the service goes on; the next reload works', async (t) => {
  const { detach } = await startBetween(new Scenario(t));
  const before = detach.processes();
  const failed = async (reason: RegExp): Promise<void> => {
    const since = detach.events.length;
    detach.signal('SIGHUP');
    await detach.waitForEvent('reload-failed', (event) => reason.test(JSON.stringify(event)), { since });
    assert.deepEqual(detach.processes(), before);
    assert.equal((await sendMail({ port: detach.port, ...envelope, message })).final[0]?.code, 250);
  };
  detach.configure({ workers: 0, inbound: { maxClients: 'many' } });
  await failed(/inbound\.maxClients/);
  assert.ok(detach.events.some((event) => String(event['reason']).includes('workers')));
  writeFileSync(detach.configFile, 'hostname: [');
  await failed(/detach-mta\.yaml/);
  // Found by the new processes only.
  detach.configure({ links: { templates: { text: '/nonexistent/notice.txt' } } });
  await failed(/nonexistent/);
  detach.configure({ inbound: { address: '192.0.2.1' } });
  await failed(/EADDRNOTAVAIL/);
  await detach.reload();
  assert.equal((await detach.metrics('/readyz')).status, 200);
});

test('changed ports are open when the old ones close, and several signals are one reload more', async (t) => {
  const { detach } = await startBetween(new Scenario(t));
  const [port, linksPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  detach.configure({ inbound: { port }, links: { port: linksPort }, metrics: { port: metricsPort } });
  const idle = await SmtpDialog.open(detach.port);
  detach.signal('SIGHUP');
  await detach.waitForEvent('reloading');
  for (let i = 0; i < 5; i += 1) detach.signal('SIGHUP');
  const reloaded = await detach.waitForEvent('reloaded');
  assert.equal(reloaded['inbound'], `127.0.0.1:${port}`);
  assert.equal((await sendMail({ port, ...envelope, message })).final[0]?.code, 250);
  assert.equal((await fetch(`http://127.0.0.1:${metricsPort}/healthz`)).status, 200);
  assert.equal((await fetch(`http://127.0.0.1:${linksPort}/x`)).status, 404);
  await idle.waitForClose();
  await assert.rejects(SmtpDialog.connect(detach.port), { code: 'ECONNREFUSED' });
  await assert.rejects(fetch(`http://127.0.0.1:${detach.metricsPort}/healthz`));
  await detach.waitForEvent('reloaded', (event) => event !== reloaded);
  const count = detach.events.filter(({ event }) => event === 'reloading').length;
  assert.ok(count >= 2 && count <= 3, `${count} reloads`);
});

test('what a process counts last, before it ends at a reload, is in the sums', async (t) => {
  const scenario = new Scenario(t);
  const sink = await scenario.use(startSink());
  // Its files are closed by another thread, after the last byte has left.
  const storage = storageDirectory(scenario.directory('counted'));
  const detach = await scenario.use(startDetach({ nextHop: sink.port, storage }));
  const attachments = [{ name: 'a.bin', content: randomBytes(200_000, 'counted') }];
  const message = buildMessage({ from: 'alice@example.com', to: 'bob@example.org', attachments });
  assert.match((await sendMail({ port: detach.port, ...envelope, message })).final[0]!.text, /^250 /);
  const file = `${linkIn(sink.messages[0]!.data)}/file`;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  scenario.defer(() => agent.destroy());
  const rounds = 5;
  for (let round = 0; round < rounds; round++) {
    await download(file, agent);
    await detach.reload();
    // The last answer of the process that goes: it waits for the connection.
    await download(file, agent);
    await waitFor(() => detach.processes('link').length === 1, { what: 'the old process to end' });
  }
  const { text } = await detach.metrics();
  assert.equal(/^detach_mta_downloads_total\{delivery="stream"\} (\d+)$/m.exec(text)?.[1], String(2 * rounds));
});

async function download(url: string, agent: Agent): Promise<void> {
  const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
  await once(response.resume(), 'end');
}
