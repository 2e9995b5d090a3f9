/**
 * Before-queue mode, with the front listener of Postfix as next hop by mistake: without a guard every MAIL opens one
 * more session through Postfix, and the client waits without an answer.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { DetachInstance } from '../../harness/detach-mta.ts';
import { startHaproxy } from '../../harness/haproxy.ts';
import { freePort } from '../../harness/ports.ts';
import { startPostfix, type PostfixInstance } from '../../harness/postfix.ts';
import { Scenario } from '../../harness/scenario.ts';
import { sendMail, transact, type SendResult } from '../../harness/send-mail.ts';
import type { Sink } from '../../harness/sink.ts';
import { SmtpDialog } from '../../harness/smtp-dialog.ts';
import * as topology from './topology.ts';

const alice = 'alice@example.com';
const bob = 'bob@example.org';

interface Site {
  readonly postfix: PostfixInstance;
  readonly detach: DetachInstance;
  readonly mailboxes: Sink;
  readonly front: number;
  readonly back: number;
}

interface SiteOptions {
  /** Whether `smtpd_authorized_xforward_hosts` lets us say XFORWARD to the front listener. */
  readonly takesXforward?: boolean;
  readonly speedAdjust?: boolean;
  /** `outbound.nextHop`, from the ports of the front and of the reinjection listener. */
  readonly nextHop: (front: number, back: number) => string;
  /** Where Postfix listens. */
  readonly host?: string;
  readonly settings?: Readonly<Record<string, string>>;
}

const workerCount = 2;

async function startSite(scenario: Scenario, options: SiteOptions): Promise<Site> {
  const { takesXforward = false, speedAdjust = false, nextHop, host = '127.0.0.1', settings = {} } = options;
  const mailboxes = await topology.startMailboxes(scenario);
  const [front, back] = [await freePort(), await freePort()];
  const detach = await topology.startFilter(scenario, {
    nextHop: [nextHop(front, back)],
    config: { workers: workerCount, inbound: { xforwardHosts: ['127.0.0.0/8', '::1'] } },
  });
  const postfix = await scenario.use(
    startPostfix({
      dir: 'postfix-a/before-queue',
      host,
      ports: { smtp: front, '127.0.0.1:10026': back },
      settings: {
        virtual_transport: `lmtp:inet:127.0.0.1:${mailboxes.port}`,
        smtpd_authorized_xforward_hosts: takesXforward ? '127.0.0.0/8 [::1]/128' : '',
        inet_protocols: 'all',
        ...settings,
      },
      master: (text) =>
        text
          .replaceAll('127.0.0.1:10025', `127.0.0.1:${detach.port}`)
          .replace('smtpd_proxy_options=speed_adjust', `smtpd_proxy_options=${speedAdjust ? 'speed_adjust' : ''}`),
    }),
  );
  return { postfix, detach, mailboxes, front, back };
}

const message = topology.letter(0, alice, [bob]).message;
const send = (port: number, host = '127.0.0.1'): Promise<SendResult> =>
  sendMail({ port, host, from: alice, to: [bob], message });

/** The reply that ended it: to MAIL, RCPT or the message, by when Postfix opens its session with the filter. */
const verdict = ({ mail, rcpt, data, final }: SendResult): string => (final[0] ?? data ?? rcpt.at(-1) ?? mail).text;

const refused = /^451 4\.3\.5 mail system configuration error: relays call one another in a circle$/;

/** One message, refused after one round, with one line that says what to do. */
async function assertRefused(t: { diagnostic(text: string): void }, site: Site, host?: string): Promise<void> {
  const began = performance.now();
  // The client may be told at RCPT, and goes on to DATA as clients do that pipeline.
  const sent = await send(site.front, host);
  t.diagnostic(`refused after ${Math.round(performance.now() - began)} ms`);
  const refusals = [...sent.rcpt, ...sent.final].filter(({ text }) => refused.test(text));
  assert.equal(refusals.length, 1, `${verdict(sent)}\n${site.detach.describe()}`);
  await site.detach.waitForEvent('transaction', ({ failure }) => failure === undefined);
  assert.equal(topology.transactions(site.detach).length, 2, 'the message, and itself once more');
  const lines = site.detach.events.filter(({ event }) => event === 'loop-refused');
  assert.deepEqual(
    lines.map(({ level, fence }) => [level, fence]),
    [['error', 'chain']],
  );
  assert.match(String(lines[0]?.['advice']), /outbound\.nextHop .* reinjection listener/);
}

/** The mistake is corrected: what was refused is delivered, once. */
async function assertDeliveredWhenCorrected(site: Site, wrong: RegExp): Promise<void> {
  const { detach, back, front, mailboxes, postfix } = site;
  const config = readFileSync(detach.configFile, 'utf8');
  writeFileSync(detach.configFile, config.replace(wrong, `127.0.0.1:${back}`));
  await detach.restart();
  assert.match(verdict(await send(front)), /^250 /);
  await topology.atRest(postfix);
  assert.equal(topology.mailOf(mailboxes, bob).length, 1);
}

for (const takesXforward of [false, true]) {
  for (const speedAdjust of [false, true]) {
    const how = [takesXforward ? 'takes' : 'takes no', 'XFORWARD', speedAdjust ? 'with' : 'without', 'speed_adjust'];
    test(`the next hop is the front listener, which ${how.join(' ')}: refused after one round`, async (t) => {
      const nextHop = (front: number): string => `127.0.0.1:${front}`;
      const site = await startSite(new Scenario(t), { takesXforward, speedAdjust, nextHop });
      await assertRefused(t, site);
      await assertDeliveredWhenCorrected(site, new RegExp(`127\\.0\\.0\\.1:${site.front}`));
    });
  }
}

for (const [name, host, settings, nextHop] of [
  ['another address', '127.0.0.3', { inet_interfaces: '127.0.0.1' }, (port: number) => `127.0.0.3:${port}`],
  ['localhost', '127.0.0.1', {}, (port: number) => `localhost:${port}`],
  ['IPv6', '::1', {}, (port: number) => `[::1]:${port}`],
] as const) {
  test(`the next hop is the front listener by way of ${name}: refused after one round`, async (t) => {
    const site = await startSite(new Scenario(t), { host, settings, nextHop });
    await assertRefused(t, site, host);
  });
}

for (const [name, proxyProtocol, takesXforward] of [
  ['a balancer that says PROXY', 1, false],
  ['a balancer that says nothing, to a listener that takes XFORWARD', undefined, true],
] as const) {
  test(`the next hop is the front listener by way of ${name}: refused after one round`, async (t) => {
    const scenario = new Scenario(t);
    const port = await freePort();
    const settings = proxyProtocol ? { smtpd_upstream_proxy_protocol: 'haproxy' } : {};
    const site = await startSite(scenario, { takesXforward, settings, nextHop: () => `127.0.0.1:${port}` });
    await scenario.use(startHaproxy({ port, backends: [site.front], ...(proxyProtocol ? { proxyProtocol } : {}) }));
    await assertRefused(t, { ...site, front: port });
  });
}

/** As many messages as `times`, one after the other on one connection. */
async function sendMany(site: Site, times: number, helo: string): Promise<void> {
  const dialog = await SmtpDialog.open(site.front);
  for (let i = 0; i < times; i += 1) {
    const sent = await transact(dialog, { port: site.front, from: alice, to: [bob], message, helo });
    assert.match(verdict(sent), /^250 /, site.detach.describe());
  }
  await dialog.quit();
}

/** A client that leaves in the middle of a message, or changes its mind, and begins again on the same connection. */
async function sendAgain(site: Site): Promise<void> {
  const gone = await SmtpDialog.open(site.front);
  for (const line of ['EHLO c.example', `MAIL FROM:<${alice}>`, `RCPT TO:<${bob}>`]) await gone.expect(250, line);
  await gone.expect(354, 'DATA');
  await gone.write('Subject: half\r\n');
  gone.abort();
  const dialog = await SmtpDialog.open(site.front);
  await dialog.expect(250, 'EHLO c.example');
  for (let i = 0; i < 3; i += 1) {
    await dialog.expect(250, `MAIL FROM:<${alice}>`);
    await dialog.expect(250, `RCPT TO:<${bob}>`);
    await dialog.expect(250, 'RSET');
  }
  assert.match(verdict(await transact(dialog, { port: site.front, from: alice, to: [bob], message })), /^250 /);
  await dialog.quit();
}

for (const speedAdjust of [false, true]) {
  const how = speedAdjust ? 'with' : 'without';
  test(`the next hop is the reinjection listener, ${how} speed_adjust: no client is refused`, async (t) => {
    const nextHop = (_front: number, back: number): string => `127.0.0.1:${back}`;
    const site = await startSite(new Scenario(t), { takesXforward: true, speedAdjust, nextHop });
    await Promise.all([
      sendMany(site, 4, 'c.example'),
      sendMany(site, 4, 'c.example'),
      // Somebody who calls himself by our name.
      sendMany(site, 4, 'detach.example.net'),
      sendAgain(site),
    ]);
    await topology.atRest(site.postfix);
    assert.deepEqual(topology.fences(site.detach), []);
    assert.equal(topology.mailOf(site.mailboxes, bob).length, 13);
  });
}

const saysXforward = { smtp_send_xforward_command: 'yes', smtpd_authorized_xforward_hosts: '127.0.0.0/8' };

test('as a relayhost that is told of the client by XFORWARD: many deliveries for one client at a time', async (t) => {
  const scenario = new Scenario(t);
  const mailboxes = await topology.startMailboxes(scenario);
  const b = await topology.startServer(scenario, {
    name: 'b',
    domains: ['b.example'],
    mailboxes,
    settings: saysXforward,
  });
  const detach = await topology.startFilter(scenario, {
    nextHop: b.port,
    config: { workers: workerCount, inbound: { xforwardHosts: ['127.0.0.0/8'] } },
  });
  const a = await topology.startServer(scenario, {
    name: 'a',
    mailboxes,
    relay: detach.port,
    settings: { ...saysXforward, smtp_destination_recipient_limit: '1' },
  });
  const to = Array.from({ length: 8 }, (_, i) => `u${i}@b.example`);
  const dialog = await SmtpDialog.open(a.port);
  for (let i = 0; i < 3; i += 1) await transact(dialog, { port: a.port, from: alice, to, message });
  await dialog.quit();
  await topology.atRest(a, b);
  assert.equal(
    mailboxes.messages.reduce((sum, mail) => sum + mail.to.length, 0),
    24,
  );
  assert.deepEqual(topology.fences(detach), []);
  assert.ok(topology.outcomes(detach).every((outcome) => outcome === 'delivered'));
  // Both queue ids stand in B's log: that of A, and ours.
  await b.waitForLog(/orig_queue_id=[0-9A-Za-z]{10,}\.[0-9a-f]{8}[0-9A-Z]+, orig_client=localhost\[127/);
});

test('mail that an alias sends back names our own session by XFORWARD, and is no circle', async (t) => {
  const scenario = new Scenario(t);
  const mailboxes = await topology.startMailboxes(scenario);
  const port = await freePort();
  const b = await topology.startServer(scenario, {
    name: 'b',
    domains: ['b.example'],
    mailboxes,
    relay: port,
    aliases: { 'office@b.example': ['carol@c.example'] },
    // The filter says no XFORWARD to it: its client is our session, and stays so in the queue file.
    settings: { smtp_send_xforward_command: 'yes' },
  });
  const detach = await topology.startFilter(scenario, {
    nextHop: b.port,
    loopguard: { ...topology.cluster('alias'), maxPasses: 2 },
    config: { workers: workerCount, inbound: { port, xforwardHosts: ['127.0.0.0/8'] } },
  });
  const a = await topology.startServer(scenario, { name: 'a', domains: ['example.com'], mailboxes, relay: port });
  await topology.send(topology.letter(a.port, alice, ['office@b.example']));
  await topology.atRest(a, b);
  // By way of the alias and, as nobody has a mailbox for carol, back twice more: it ends as every loop does.
  assert.ok(topology.fences(detach).every((fence) => fence === 'stamp'));
  const letters = topology.transactions(detach).filter(({ from }) => from !== '<>');
  assert.deepEqual(letters.map(({ outcome }) => outcome).sort(), ['delivered', 'delivered', 'delivered', 'refused']);
});
