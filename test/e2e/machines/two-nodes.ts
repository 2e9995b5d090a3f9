/**
 * Two machines with a booted systemd each, made by the scripts of the lab from a bare Debian: Postfix A and the package on
 * one, Postfix B and Dovecot on the other, and a link between them that is slow, lossy or cut.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildMessage } from '../../harness/build-message.ts';
import { addresses } from '../../harness/machine/network.ts';
import { startTwoNodes, type TwoNodes } from '../../harness/machine/two-nodes.ts';
import { run } from '../../harness/process.ts';
import { randomBytes } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';
import { showSample } from '../../../lab/two-nodes/two-nodes.ts';
import { linkIn } from '../chain.ts';

const alice = 'alice@example.com';
const bob = 'bob@example.org';
const carol = 'carol@example.org';
const files = '/var/lib/detach-mta/files';
const unit = 'detach-mta.service';
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

async function provisionsAgain(nodes: TwoNodes): Promise<void> {
  const state = async (): Promise<readonly string[]> => [
    await nodes.a.sh('sha256sum /etc/hosts /etc/postfix/*.cf /etc/detach-mta/*.*; dpkg-query -W'),
    await nodes.b.sh('sha256sum /etc/hosts /etc/postfix/*.cf /etc/dovecot/*.conf; dpkg-query -W'),
  ];
  const before = await state();
  await nodes.provision();
  assert.deepEqual(await state(), before);
}

async function detachesOnce(nodes: TwoNodes): Promise<void> {
  const content = randomBytes(3_000_000);
  await send(nodes, 'a file', { to: [bob, carol], content });
  const message = await arrivesOnce(nodes, 'a file');
  assert.match(message.toString('latin1'), /using TLSv1\.3[^;]*by node-b\.example\.net/s);
  assert.equal(linkIn(message), linkIn(await arrivesOnce(nodes, 'a file', carol)));
  assert.deepEqual(await nodes.fetch('b', `${linkIn(message)}/file`), content);
  assert.equal(await nodes.a.sh(`find ${files}/files -type f -size +2M | wc -l`), '1\n');
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

/** One message is on its way when the link is cut, another one comes while it is. */
async function survivesCut(nodes: TwoNodes): Promise<void> {
  await nodes.network.bandwidth(slow);
  await send(nodes, 'on its way', { text: long });
  await nodes.sending();
  await nodes.network.loss(1);
  await send(nodes, 'during the cut');
  await nodes.deferred();
  assert.equal(nodes.received(bob, 'Subject: on its way').length, 0);
  await nodes.network.loss(0);
  await nodes.network.bandwidth(undefined);
  await arrivesOnce(nodes, 'during the cut');
  await arrivesOnce(nodes, 'on its way');
}

/** Node A wants a certificate of its authority, node B wants TLS. */
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
  await nodes.b.sh('/detach-mta/provision-b.sh');
  await arrivesOnce(nodes, 'stranger');

  const plain = ['--server', addresses.b, '--from', alice, '--to', bob];
  await assert.rejects(nodes.network.on('a', 'swaks', plain), /530 5\.7\.0 Must issue a STARTTLS command first/);
}

test('two nodes: detached once, verdicts, storage down, kill, reload, link cut, certificate', async (t) => {
  const scenario = new Scenario(t);
  const nodes = await scenario.use(startTwoNodes());
  const steps = [
    detachesOnce,
    showsSample,
    bounces,
    waitsForStorage,
    survivesKill,
    survivesReload,
    survivesCut,
    wantsCertificate,
    provisionsAgain,
  ];
  for (const step of steps) {
    try {
      await step(nodes);
    } catch (error) {
      t.diagnostic(
        `${step.name}: a: ${await nodes.a.sh('mailq; journalctl --no-pager -o cat | tail -25')} b: ${await nodes.b.sh('journalctl --no-pager -o cat | tail -10')}`,
      );
      throw error;
    }
  }
});
