/**
 * Two machines with a booted systemd each, made by the scripts of the lab from a bare Debian: Postfix A and the package on
 * one, Postfix B and Dovecot on the other, and a link between them that is slow, lossy or cut.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { buildMessage } from '../../harness/build-message.ts';
import { addresses } from '../../harness/machine/network.ts';
import { startTwoNodes, type TwoNodes } from '../../harness/machine/two-nodes.ts';
import { run } from '../../harness/process.ts';
import { randomBytes } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';
import { waitFor } from '../../harness/wait.ts';
import { labPassword, showSample, webmailUrl } from '../../../lab/two-nodes/two-nodes.ts';
import { readInWebmail } from '../../harness/webmail-visit.ts';
import { linkIn } from '../chain.ts';

const alice = 'alice@example.com';
const bob = 'bob@example.org';
const carol = 'carol@example.org';
const files = '/var/lib/detach-mta/files';
const unit = 'detach-mta.service';
const configuration = '/etc/detach-mta/detach-mta.yaml';
const cutSeconds = Number(process.env['DETACH_TEST_CUT'] ?? 0);
/** Bits per second at which `long` takes seconds. */
const slow = 2_000_000;

interface Letter {
  readonly to?: readonly string[];
  readonly text?: string;
  readonly content?: Buffer;
}

function send(nodes: TwoNodes, subject: string, { to = [bob], text = 'Hello', content }: Letter = {}): Promise<void> {
  const attachments = content === undefined ? [] : [{ name: 'plan.bin', content }];
  return nodes.send(buildMessage({ from: alice, to, subject, text, attachments }), { from: alice, to });
}

/** A text that stays in the message, 1 MB. */
const long = `${'All work and no play makes a long message. '.repeat(23)}\n`.repeat(1000);

async function arrivesOnce(nodes: TwoNodes, subject: string, to = bob): Promise<Buffer> {
  const message = await nodes.arrives(to, `Subject: ${subject}`);
  await nodes.a.until('mailq | grep -q empty');
  assert.equal(nodes.received(to, `Subject: ${subject}`).length, 1, subject);
  return message;
}

/** All that the scripts write on the nodes, and what is installed there. */
const state = async ({ a, b }: TwoNodes): Promise<readonly string[]> => [
  await a.sh('sha256sum /etc/hosts /etc/postfix/*.cf /etc/detach-mta/*.*; dpkg-query -W'),
  await b.sh('sha256sum /etc/hosts /etc/postfix/*.cf /etc/dovecot/*.conf; dpkg-query -W'),
];

/** Also a node A from the time when it had no certificate: its scripts bring both to the same state again. */
async function provisionsAgain(nodes: TwoNodes): Promise<void> {
  const before = await state(nodes);
  await nodes.a.sh(String.raw`sed -i '/certificate\.\(pem\|key\)$/d' ${configuration}`);
  assert.notDeepEqual(await state(nodes), before);
  await nodes.provision();
  assert.deepEqual(await state(nodes), before);
}

async function detachesOnce(nodes: TwoNodes): Promise<void> {
  const content = randomBytes(3_000_000);
  await send(nodes, 'a file', { to: [bob, carol], content });
  const message = await arrivesOnce(nodes, 'a file');
  assert.match(message.toString('latin1'), /using TLSv1\.3[^;]*verified OK[^;]*by node-b\.example\.net/s);
  assert.equal(linkIn(message), linkIn(await arrivesOnce(nodes, 'a file', carol)));
  assert.deepEqual(await nodes.fetch('b', `${linkIn(message)}/file`), content);
  assert.equal(await nodes.a.sh(`find ${files}/files -type f -size +2M | wc -l`), '1\n');
}

/** From here, as a person who looks at the lab. */
async function readsInWebmail(nodes: TwoNodes): Promise<void> {
  // Another run of this test has the same addresses.
  await waitFor(() => nodes.network.join(), { what: 'the addresses of the nodes', every: 1000, bound: 600_000 });
  const page = await readInWebmail(webmailUrl, { user: bob, password: labPassword }, 1);
  assert.match(page, /a file/);
  const link = /http:\/\/192\.168\.56\.11:8080\/[^"<\s]+/.exec(page)?.[0];
  assert.ok(link, page);
  assert.equal((await fetch(link)).status, 200);
  await nodes.network.leave();
  assert.doesNotMatch(await nodes.b.log('detach-webmail.service'), /Fatal|Uncaught/);
}

/** What `npm run lab -- --two-nodes` shows. */
async function showsSample(nodes: TwoNodes): Promise<void> {
  assert.ok(await showSample(nodes));
}

/** The verdict of B reaches the sender by a link that loses packets. */
async function bounces(nodes: TwoNodes): Promise<void> {
  await nodes.network.loss(0.05);
  await send(nodes, 'two recipients', { to: ['nobody@example.org', bob] });
  await arrivesOnce(nodes, 'two recipients');
  const bounce = await nodes.arrives(alice, 'nobody@example.org');
  assert.match(bounce.toString('latin1'), /User unknown in virtual mailbox\s+table/);
  await nodes.network.loss(0);
}

async function waitsForStorage(nodes: TwoNodes): Promise<void> {
  await nodes.a.sh(`chmod 0 ${files}`);
  await send(nodes, 'no storage', { content: randomBytes(2_000_000) });
  await nodes.deferred();
  assert.equal(nodes.received(bob, 'Subject: no storage').length, 0);
  await nodes.a.sh(`chmod 700 ${files}`);
  linkIn(await arrivesOnce(nodes, 'no storage'));
}

async function survivesKill(nodes: TwoNodes): Promise<void> {
  await nodes.network.bandwidth(slow);
  await send(nodes, 'killed', { text: long });
  await nodes.sending();
  const before = await nodes.a.property(unit, 'MainPID');
  await nodes.a.run('systemctl', ['kill', '--signal=KILL', unit]);
  await nodes.network.bandwidth(undefined);
  await arrivesOnce(nodes, 'killed');
  assert.notEqual(await nodes.a.property(unit, 'MainPID'), before);
}

/** What is on its way is finished: Postfix A does not try again. */
async function survivesReload(nodes: TwoNodes): Promise<void> {
  await nodes.network.bandwidth(slow);
  await send(nodes, 'reloaded', { text: long });
  await nodes.sending();
  await nodes.a.run('systemctl', ['reload', unit]);
  await nodes.network.bandwidth(undefined);
  await arrivesOnce(nodes, 'reloaded');
  assert.doesNotMatch(await nodes.a.sh('journalctl --no-pager -o cat -t postfix/smtp | tail -1'), /deferred/);
}

/**
 * One message is on its way when the link is cut, another one comes while it is. Seconds that it stays cut: no longer than
 * the second message needs to be deferred, unless DETACH_TEST_CUT says more.
 */
async function survivesCut(nodes: TwoNodes): Promise<void> {
  await nodes.network.bandwidth(slow);
  await send(nodes, 'on its way', { text: long });
  await nodes.sending();
  const cut = performance.now();
  await nodes.network.loss(1);
  await send(nodes, 'during the cut');
  await nodes.deferred();
  await pause(Math.max(0, cut + cutSeconds * 1000 - performance.now()));
  assert.equal(nodes.received(bob, 'Subject: on its way').length, 0);
  await nodes.network.loss(0);
  await nodes.network.bandwidth(undefined);
  // TCP tries again after twice the time each: after a long cut, up to two minutes later.
  await nodes.arrives(bob, 'Subject: on its way');
  await arrivesOnce(nodes, 'during the cut');
  await arrivesOnce(nodes, 'on its way');
}

/** Node A wants a certificate of its authority, node B wants TLS and a certificate of the same; made again, both do. */
async function wantsCertificate(nodes: TwoNodes): Promise<void> {
  const [certificate, key] = ['etc/ssl/certs/node-b.pem', 'etc/ssl/private/node-b.key'].map((file) =>
    join(nodes.b.root, file),
  ) as [string, string];
  const subject = ['-subj', '/CN=node-b.example.net', '-addext', 'subjectAltName=DNS:node-b.example.net'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await run('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', certificate]);
  await nodes.b.run('systemctl', ['restart', 'postfix']);
  await send(nodes, 'stranger');
  await nodes.deferred();
  assert.equal(nodes.received(bob, 'Subject: stranger').length, 0);
  assert.match(await nodes.a.log(unit), /self-signed certificate/);
  await provisionsAgain(nodes);
  await arrivesOnce(nodes, 'stranger');

  const plain = ['--server', addresses.b, '--from', alice, '--to', bob];
  await assert.rejects(nodes.network.on('a', 'swaks', plain), /530 5\.7\.0 Must issue a STARTTLS command first/);
  await assert.rejects(
    nodes.network.on('a', 'swaks', [...plain, '--tls']),
    /421 4\.7\.1 .*No client certificate presented/,
  );
}

test('two nodes: detached once, verdicts, storage down, kill, reload, link cut, certificate', async (t) => {
  const scenario = new Scenario(t);
  const nodes = await scenario.use(startTwoNodes());
  const steps = [
    detachesOnce,
    readsInWebmail,
    showsSample,
    bounces,
    waitsForStorage,
    survivesKill,
    survivesReload,
    survivesCut,
    wantsCertificate,
  ];
  for (const step of steps) {
    const began = performance.now();
    try {
      await step(nodes);
      t.diagnostic(`${step.name}: ${Math.round((performance.now() - began) / 1000)} s`);
    } catch (error) {
      t.diagnostic(
        `${step.name}: a: ${await nodes.a.sh('mailq; journalctl --no-pager -o cat | tail -25')} b: ${await nodes.b.sh('journalctl --no-pager -o cat | tail -10')}`,
      );
      throw error;
    }
  }
});
