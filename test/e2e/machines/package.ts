/**
 * The Debian package in a machine with a booted systemd: installed, configured, started, reloaded and upgraded under
 * load, hung, purged. Postfix A stands before it, a sink behind it.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { buildMessage } from '../../harness/build-message.ts';
import { Machine, startMachine } from '../../harness/machine/machine.ts';
import { packages } from '../../harness/machine/packages.ts';
import { freePort } from '../../harness/ports.ts';
import { startPostfix, type PostfixInstance } from '../../harness/postfix.ts';
import { run } from '../../harness/process.ts';
import { randomBytes } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';
import { sendMail } from '../../harness/send-mail.ts';
import { startSink, type Sink } from '../../harness/sink.ts';
import { waitFor } from '../../harness/wait.ts';
import { linkIn } from '../chain.ts';

const envelope = { from: 'a@example.com', to: ['b@example.org'] };
const unit = 'detach-mta.service';
const configuration = '/etc/detach-mta/detach-mta.yaml';

/** Messages, at least, while the service is reloaded, and while the package is replaced. */
const underLoad = 40;

interface Site {
  readonly machine: Machine;
  readonly a: PostfixInstance;
  readonly sink: Sink;
  readonly port: number;
  readonly links: number;
}

const subjects = ({ sink }: Site): string[] =>
  sink.messages.map(({ data }) => /^Subject: (.*)$/m.exec(data.toString('latin1'))?.[1]?.trim() ?? '');

/** Every one of these has come once. */
function assertOnce(site: Site, word: string, count: number): void {
  const found = subjects(site).filter((subject) => subject.startsWith(word));
  assert.equal(new Set(found).size, count, `${word}: different messages`);
  assert.equal(found.length, count, `${word}: messages`);
}

const install = (machine: Machine, file: string): Promise<string> => machine.sh(`dpkg -i /${file}`);

async function installs(machine: Machine): Promise<void> {
  const said = await install(machine, 'first.deb');
  assert.match(said, /not started: set outbound\.nextHop, loopguard\.cluster, links\.baseUrl in /);
  assert.equal(await machine.property(unit, 'ActiveState'), 'inactive');
  const rights = await machine.run('stat', [
    '-c',
    '%U:%G %a',
    '/etc/detach-mta/secrets/links.secret',
    '/var/lib/detach-mta',
  ]);
  assert.equal(rights, 'root:detach-mta 640\ndetach-mta:detach-mta 700\n');
}

async function starts({ machine, port, links, sink }: Site): Promise<void> {
  const text = machine
    .read(configuration)
    .replace("#nextHop: ['[mail-b.example.com]:25']", `nextHop: ['[127.0.0.1]:${sink.port}']`)
    .replace('#cluster: example.com', 'cluster: package-test')
    .replace('#baseUrl: https://files.example.com', `baseUrl: http://127.0.0.1:${links}`)
    .replace('port: 10025', `port: ${port}`)
    .replace('port: 8080', `port: ${links}`)
    .replace('port: 9464', `port: ${await freePort()}`)
    .replace('#hostname: detach.example.com', 'hostname: detach.example.com');
  machine.write(configuration, text);
  await machine.run('systemctl', ['enable', '--now', unit, 'detach-mta-sweep.timer']);
  assert.equal(await machine.property(unit, 'ActiveState'), 'active');
  const exposure = /overall exposure level[^:]*: ([\d.]+)/i.exec(await machine.sh(`systemd-analyze security ${unit}`));
  assert.ok(Number(exposure?.[1]) <= 1.5, `exposure ${exposure?.[1]}`);
}

async function detaches(site: Site): Promise<void> {
  const content = randomBytes(3_000_000);
  const message = buildMessage({ ...envelope, subject: 'a file', attachments: [{ name: 'plan.bin', content }] });
  await sendMail({ port: site.a.port, ...envelope, message });
  const [delivered] = await waitFor(() => site.sink.messages.length > 0 && site.sink.messages, { what: 'the message' });
  const response = await fetch(`${linkIn(delivered!.data)}/file`);
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), content);
}

/** A reload ends when the new processes serve, some time after `systemctl reload` has. */
const becomesActive = (machine: Machine): Promise<string> => machine.until(`systemctl is-active --quiet ${unit}`);

/** Sends some twenty messages a second until `work` has ended. @returns how many */
async function under(load: (subject: string) => Promise<void>, word: string, work: Promise<unknown>): Promise<number> {
  let going = true;
  let sent = 0;
  const sending = async (): Promise<void> => {
    while (going || sent < underLoad) {
      sent += 1;
      await load(`${word} ${sent}.`);
      await pause(100);
    }
  };
  const senders = Promise.all([sending(), sending()]);
  await work.finally(() => (going = false));
  await senders;
  return sent;
}

async function reloads(site: Site): Promise<void> {
  const { machine, port } = site;
  const load = async (subject: string): Promise<void> => {
    const { final } = await sendMail({ port, ...envelope, message: buildMessage({ ...envelope, subject }) });
    assert.equal(final[0]?.code, 250);
  };
  const work = async (): Promise<void> => {
    await machine.run('systemctl', ['reload', unit]);
    await becomesActive(machine);
    const right = machine.read(configuration);
    machine.write(configuration, `${right}\nnonsense: 1\n`);
    await assert.rejects(machine.run('systemctl', ['reload', unit]));
    machine.write(configuration, right);
    await machine.run('systemctl', ['reload', unit]);
    await becomesActive(machine);
  };
  const sent = await under(load, 'reload', work());
  assertOnce(site, 'reload', sent);
}

async function upgrades(site: Site): Promise<void> {
  const { machine, a } = site;
  const before = await machine.property(unit, 'MainPID');
  const load = async (subject: string): Promise<void> => {
    await sendMail({ port: a.port, ...envelope, message: buildMessage({ ...envelope, subject }) });
  };
  const sent = await under(load, 'upgrade', install(machine, 'next.deb'));
  assert.match(await machine.run('dpkg-query', ['-W', 'detach-mta']), /\.next$/m);
  assert.notEqual(await machine.property(unit, 'MainPID'), before);
  await becomesActive(machine);
  await a.deliverAll();
  assertOnce(site, 'upgrade', sent);
}

/** A hung supervisor is killed and replaced; mail waits in A. */
async function survivesHanging(site: Site): Promise<void> {
  const { machine, a } = site;
  await machine.sh(`mkdir -p /etc/systemd/system/${unit}.d`);
  machine.write(`etc/systemd/system/${unit}.d/quick.conf`, '[Service]\nWatchdogSec=5\nTimeoutAbortSec=5\n');
  await machine.run('systemctl', ['daemon-reload']);
  await machine.run('systemctl', ['restart', unit]);
  const before = await machine.property(unit, 'MainPID');
  // A short process of systemd-notify may end between systemd's look and its signal, which is an error then.
  const stop = `systemctl kill --signal=STOP ${unit}`;
  await machine.sh(`${stop} || ${stop}`);
  const message = buildMessage({ ...envelope, subject: 'hanging 1.' });
  await sendMail({ port: a.port, ...envelope, message });
  await machine.until(`case $(systemctl show --value -p MainPID ${unit}) in 0|${before}) false; esac`);
  assert.match(await machine.sh('journalctl --no-pager'), /Watchdog timeout/);
  await a.deliverAll();
  assertOnce(site, 'hanging', 1);
}

async function purges({ machine }: Site): Promise<void> {
  const said = await machine.sh('dpkg --purge detach-mta');
  assert.match(said, /kept \/var\/lib\/detach-mta and \/etc\/detach-mta\/secrets/);
  for (const kept of ['var/lib/detach-mta/files', 'etc/detach-mta/secrets/links.secret'])
    assert.ok(existsSync(join(machine.root, kept)), kept);
  assert.ok(!existsSync(join(machine.root, 'usr/lib/detach-mta')));
}

test('the package: install, start, mail, reload and upgrade under load, watchdog, purge', async (t) => {
  const scenario = new Scenario(t);
  const { first, next } = await packages();
  const machine = await scenario.use(startMachine());
  await run('cp', [first, join(machine.root, 'first.deb')]);
  await run('cp', [next, join(machine.root, 'next.deb')]);
  const sink = await scenario.use(startSink());
  const [port, links] = [await freePort(), await freePort()];
  const a = await scenario.use(startPostfix({ dir: 'postfix-a', settings: { relayhost: `[127.0.0.1]:${port}` } }));
  const site = { machine, a, sink, port, links };
  try {
    await installs(machine);
    for (const step of [starts, detaches, reloads, upgrades, survivesHanging, purges]) await step(site);
  } catch (error) {
    t.diagnostic(await machine.sh(`journalctl --no-pager -u ${unit} | grep -v '"event":"transaction"' | tail -40`));
    throw error;
  }
});
