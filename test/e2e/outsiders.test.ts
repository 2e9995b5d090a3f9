/** Clients from outside: strangers, and load balancers that speak for others. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { startHaproxy } from '../harness/haproxy.ts';
import { run } from '../harness/process.ts';
import { Scenario } from '../harness/scenario.ts';
import { transact } from '../harness/send-mail.ts';
import { SmtpDialog } from '../harness/smtp-dialog.ts';
import { waitFor } from '../harness/wait.ts';
import { startBetween } from './chain.ts';

const envelope = { from: 'a@example.com', to: ['b@example.org'] };
const message = buildMessage(envelope);
const neighbour = '127.0.0.3';
const strangerAddress = '127.0.0.66';

const behindBalancer = { inbound: { proxyHosts: ['127.0.0.1/32'], trustedNetworks: [`${neighbour}/32`] } };

for (const proxyProtocol of [1, 2] as const)
  test(`behind HAProxy with PROXY ${proxyProtocol} the client counts, not the balancer`, async (t) => {
    const scenario = new Scenario(t);
    const { detach, sink } = await startBetween(scenario, { detach: behindBalancer });
    const { port } = await scenario.use(startHaproxy({ backends: [detach.port], proxyProtocol, check: true }));
    const dialog = await SmtpDialog.open(port, { from: neighbour });
    const { final } = await transact(dialog, { port, ...envelope, message });
    await dialog.quit();
    assert.equal(final[0]?.code, 250, detach.describe());
    assert.match(sink.messages[0]!.data.toString('latin1'), /^Received: from \S+ \(\[127\.0\.0\.3\]\)/);
    const stranger = await SmtpDialog.connect(port, { from: strangerAddress });
    assert.equal((await stranger.read()).code, 554);
    const refused = await detach.waitForEvent('client-refused', ({ client }) => client === strangerAddress);
    assert.equal(refused['proxy'], '127.0.0.1');
  });

test('a header that names nobody gives no trust, even where the balancer itself is trusted', async (t) => {
  const { detach } = await startBetween(new Scenario(t), { detach: { inbound: { proxyHosts: ['127.0.0.1/32'] } } });
  const unspecified = Buffer.from('0d0a0d0a000d0a515549540a21000000', 'hex');
  const local = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex');
  for (const [header, code] of [
    [Buffer.from('PROXY UNKNOWN\r\n'), 554],
    [Buffer.from('PROXY UNKNOWN 127.0.0.1 127.0.0.1 1 2\r\n'), 554],
    [unspecified, 554],
    [local, 220],
    [Buffer.from('PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n'), 220],
  ] as const) {
    for (const pieces of [[header], [...header].map((octet) => Buffer.from([octet]))]) {
      const dialog = await SmtpDialog.connect(detach.port);
      for (const piece of pieces) await dialog.write(piece);
      assert.equal((await dialog.read()).code, code, header.toString('latin1'));
      await dialog.quit();
    }
  }
});

test('a header that is none closes the connection, with a line in the log', async (t) => {
  const { detach } = await startBetween(new Scenario(t), { detach: behindBalancer });
  for (const bytes of ['EHLO a.example\r\n', 'PROXY TCP4 1.2.3.4\r\n', `PROXY ${'x'.repeat(200)}`]) {
    const dialog = await SmtpDialog.connect(detach.port);
    await dialog.write(bytes);
    await assert.rejects(dialog.read(), /closed before a reply; received: ""/);
  }
  assert.match(String((await detach.waitForEvent('proxy-header-refused'))['reason']), /PROXY header/);
});

/** Connects, and waits until it is sent away. */
async function knock(port: number): Promise<void> {
  const socket: Socket = connect({ port, host: '127.0.0.1', localAddress: strangerAddress });
  socket.on('error', () => undefined).resume();
  await once(socket, 'close');
}

test('a flood of strangers writes a line or two, takes no place, and the neighbour is served', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), {
    detach: { inbound: { trustedNetworks: ['127.0.0.1/32'], maxClients: 4 } },
  });
  let flooding = true;
  const flood = Array.from({ length: 50 }, async () => {
    for (let i = 0; i < 40 || flooding; i++) await knock(detach.port);
  });
  for (let i = 0; i < 10; i++) {
    const dialog = await SmtpDialog.open(detach.port);
    const { final } = await transact(dialog, { port: detach.port, ...envelope, message });
    assert.equal(final[0]?.code, 250);
    await dialog.quit();
  }
  flooding = false;
  await Promise.all(flood);
  assert.equal(sink.messages.length, 10);
  const summed = (): number =>
    detach.events
      .filter(({ event }) => event === 'client-refused')
      .reduce((sum, line) => sum + (typeof line['count'] === 'number' ? line['count'] : 1), 0);
  await waitFor(() => summed() >= 2000, { what: 'the sum of what was refused' });
  const lines = detach.events.filter(({ event }) => event === 'client-refused').length;
  assert.ok(lines <= 5, `${lines} lines`);
});

test('one neighbour that takes all it can get leaves places for another', async (t) => {
  const { detach } = await startBetween(new Scenario(t), {
    detach: { inbound: { trustedNetworks: ['127.0.0.0/8'], maxClients: 6, maxClientsPerAddress: 3 } },
  });
  const greedy = [];
  for (let i = 0; i < 6; i++) greedy.push(await SmtpDialog.connect(detach.port, { from: strangerAddress }));
  const greetings = [];
  for (const dialog of greedy) greetings.push((await dialog.read()).text);
  assert.equal(greetings.filter((text) => text.startsWith('220 ')).length, 3);
  assert.ok(greetings.filter((text) => !text.startsWith('220 ')).every((text) => text.startsWith('421 4.7.0 ')));
  const dialog = await SmtpDialog.open(detach.port, { from: neighbour });
  const { final } = await transact(dialog, { port: detach.port, ...envelope, message });
  assert.equal(final[0]?.code, 250);
  await dialog.quit();
  for (const held of greedy) held.abort();
});

test('one neighbour whose transactions do not end leaves sessions with the next hop for another', async (t) => {
  const { detach } = await startBetween(new Scenario(t), {
    detach: {
      inbound: { trustedNetworks: ['127.0.0.0/8'], maxClients: 20, maxClientsPerAddress: 10 },
      outbound: { maxConnections: 5 },
    },
  });
  const send = async (): Promise<number | undefined> => {
    const dialog = await SmtpDialog.open(detach.port, { from: neighbour });
    const { final } = await transact(dialog, { port: detach.port, ...envelope, message });
    await dialog.quit();
    return final[0]?.code;
  };
  assert.equal(await send(), 250);
  const slow = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const dialog = await SmtpDialog.open(detach.port, { from: strangerAddress });
      await dialog.expect(250, 'EHLO slow.example');
      return dialog;
    }),
  );
  const answers = { count: 0 };
  // Those beyond its share wait for the others to end.
  for (const dialog of slow)
    void dialog.expect(250, `MAIL FROM:<${envelope.from}>`).then(
      () => answers.count++,
      () => 0,
    );
  await waitFor(() => answers.count === 4, { what: 'its share of the sessions' });
  for (let i = 0; i < 5; i++) assert.equal(await send(), 250);
  assert.equal(answers.count, 4);
  for (const held of slow) held.abort();
  assert.equal(await send(), 250);
});

test('a flood of requests to the metrics port: mail passes, and the next scrape is answered', async (t) => {
  const { detach } = await startBetween(new Scenario(t));
  const flood = Array.from({ length: 4 }, async () => {
    const socket = connect({ port: detach.metricsPort, host: '127.0.0.1' });
    socket.on('error', () => undefined).resume();
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5000));
    await new Promise((resolve) => socket.once('close', resolve));
  });
  for (let i = 0; i < 3; i++) {
    const dialog = await SmtpDialog.open(detach.port);
    const { final } = await transact(dialog, { port: detach.port, ...envelope, message });
    assert.equal(final[0]?.code, 250);
    await dialog.quit();
  }
  await Promise.all(flood);
  assert.equal((await detach.metrics()).status, 200);
});

test('a process that has no descriptors left ends no session for it, and serves again when it has', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), {
    detach: { inbound: { trustedNetworks: ['127.0.0.0/8'], maxClientsPerAddress: 200 } },
  });
  const processes = detach.processes();
  const [pid = 0] = processes;
  const early = await SmtpDialog.open(detach.port);
  await early.expect(250, 'EHLO a.example');
  const open = (await readdir(`/proc/${pid}/fd`)).length;
  await run('prlimit', ['--pid', String(pid), `--nofile=${open + 10}:`]);
  const clients = await Promise.all(Array.from({ length: 60 }, () => SmtpDialog.connect(detach.port)));
  await waitFor(() => clients.filter(({ closed }) => closed).length >= 40, {
    what: 'those without a place to be closed',
  });
  // It needs a descriptor for its next hop: the client is told to come again.
  const { mail } = await transact(early, { port: detach.port, ...envelope, message });
  assert.ok(mail.code === 250 || mail.text.startsWith('451 4.'), mail.text);
  for (const client of clients) client.abort();
  const served = async (): Promise<boolean> => {
    const dialog = await SmtpDialog.open(detach.port);
    const { final } = await transact(dialog, { port: detach.port, ...envelope, message });
    await dialog.quit();
    return final[0]?.code === 250;
  };
  await waitFor(() => served().catch(() => false), { what: 'mail to be taken again', detail: () => detach.describe() });
  await early.quit();
  assert.ok(sink.messages.length >= 1);
  assert.deepEqual(detach.processes(), processes, detach.describe());
});
