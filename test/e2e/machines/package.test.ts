/**
 * The Debian package in a machine with a booted systemd: installed, purged; then that of the commit before: configured,
 * started, upgraded under load to the current one; that reloaded under load, hung, purged. Postfix A stands before it, a
 * sink behind it.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { buildMessage } from '../../harness/build-message.ts';
import { Machine, startMachine } from '../../harness/machine/machine.ts';
import { currentPackage, packageBefore } from '../../harness/machine/packages.ts';
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

/** Messages that are sent, two at a time, while something is done to the service. */
interface Load {
  readonly word: string;
  /** More when that takes longer. */
  readonly atLeast: number;
  /** Between two messages of a sender, ms. */
  readonly pause: number;
  readonly send: (subject: string) => Promise<void>;
}

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

/** As who keeps a configuration of their own, which is what dpkg does when nobody answers its question. */
const install = (machine: Machine, file: string): Promise<string> => machine.sh(`dpkg -i --force-confold /${file}`);

async function installs(machine: Machine): Promise<void> {
  const said = await install(machine, 'current.deb');
  assert.match(said, /not started: set outbound\.nextHop, loopguard\.cluster, links\.baseUrl in /);
  assert.equal(await machine.property(unit, 'ActiveState'), 'inactive');
  const rights = await machine.run('stat', [
    '-c',
    '%U:%G %a',
    '/etc/detach-mta/secrets/links.secret',
    '/var/lib/detach-mta',
  ]);
  assert.equal(rights, 'root:detach-mta 640\ndetach-mta:detach-mta 700\n');
  await machine.sh('DETACH_MTA_PURGE=all dpkg --purge detach-mta');
  for (const gone of ['var/lib/detach-mta', 'etc/detach-mta', 'usr/lib/detach-mta'])
    assert.ok(!existsSync(join(machine.root, gone)), gone);
}

async function starts({ machine, port, links, sink }: Site): Promise<void> {
  await install(machine, 'before.deb');
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
}

/** A number, 0 to 10: how much the service could do to its machine. */
async function isConfined({ machine }: Site): Promise<void> {
  const exposure = /overall exposure level[^:]*: ([\d.]+)/i.exec(await machine.sh(`systemd-analyze security ${unit}`));
  assert.ok(Number(exposure?.[1]) <= 1.5, `exposure ${exposure?.[1]}`);
}

async function detaches(site: Site): Promise<void> {
  const content = randomBytes(3_000_000);
  const message = buildMessage({ ...envelope, subject: 'a file', attachments: [{ name: 'plan.bin', content }] });
  await sendMail({ port: site.a.port, ...envelope, message });
  const { messages } = site.sink;
  const delivered = await waitFor(() => messages.find(({ data }) => data.includes('a file')), { what: 'the message' });
  const response = await fetch(`${linkIn(delivered.data)}/file`);
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), content);
}

/** A reload ends when the new processes serve, some time after `systemctl reload` has. */
const becomesActive = (machine: Machine): Promise<string> => machine.until(`systemctl is-active --quiet ${unit}`);

/** Sends until `work` has ended. @returns how many */
async function under(load: Load, work: Promise<unknown>): Promise<number> {
  let going = true;
  let sent = 0;
  const sending = async (): Promise<void> => {
    while (going || sent < load.atLeast) {
      sent += 1;
      await load.send(`${load.word} ${sent}.`);
      await pause(load.pause);
    }
  };
  const senders = Promise.all([sending(), sending()]);
  await work.finally(() => (going = false));
  await senders;
  return sent;
}

async function reloads(site: Site): Promise<void> {
  const { machine, port } = site;
  const send = async (subject: string): Promise<void> => {
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
  const sent = await under({ word: 'reload', atLeast: 1000, pause: 10, send }, work());
  assertOnce(site, 'reload', sent);
}

/** What a package does at an upgrade when the configuration is wrong: the service goes on, and one line says what to do. */
async function leavesRunning(machine: Machine): Promise<void> {
  const before = await machine.property(unit, 'MainPID');
  const right = machine.read(configuration);
  machine.write(configuration, `${right}\nnonsense: 1\n`);
  const said = await machine.sh('/var/lib/dpkg/info/detach-mta.postinst configure 0.1');
  machine.write(configuration, right);
  assert.match(said, /^detach-mta: not restarted, the version before still runs: correct nonsense in .* restart/);
  assert.equal(await machine.property(unit, 'MainPID'), before);
}

async function upgrades(site: Site): Promise<void> {
  const { machine, a } = site;
  const before = await machine.property(unit, 'MainPID');
  const send = async (subject: string): Promise<void> => {
    await sendMail({ port: a.port, ...envelope, message: buildMessage({ ...envelope, subject }) });
  };
  const sent = await under({ word: 'upgrade', atLeast: 40, pause: 100, send }, install(machine, 'current.deb'));
  const version = await machine.run('dpkg-deb', ['-f', '/current.deb', 'Version']);
  assert.equal(await machine.run('dpkg-query', ['-W', '-f', '${Version}\n', 'detach-mta']), version);
  assert.notEqual(await machine.property(unit, 'MainPID'), before);
  await becomesActive(machine);
  await leavesRunning(machine);
  await a.deliverAll();
  assertOnce(site, 'upgrade', sent);
  // The installed command knows where the configuration of the service is.
  await machine.run('detach-mta', ['config', '--quiet']);
}

/** A hung supervisor is killed and replaced; mail waits in A. */
async function survivesHanging(site: Site): Promise<void> {
  const { machine, a } = site;
  await machine.sh(`mkdir -p /etc/systemd/system/${unit}.d`);
  machine.write(`etc/systemd/system/${unit}.d/quick.conf`, '[Service]\nWatchdogSec=5\nTimeoutAbortSec=5\n');
  await machine.run('systemctl', ['daemon-reload']);
  await machine.run('systemctl', ['restart', unit]);
  const before = await machine.property(unit, 'MainPID');
  await machine.run('systemctl', ['kill', '--signal=STOP', unit]);
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

test('the package: install, start, upgrade from the commit before and reload under load, watchdog, purge', async (t) => {
  const scenario = new Scenario(t);
  const [current, before] = [await currentPackage(), await packageBefore()];
  const machine = await scenario.use(startMachine());
  await run('cp', [current, join(machine.root, 'current.deb')]);
  await run('cp', [before, join(machine.root, 'before.deb')]);
  const sink = await scenario.use(startSink());
  const [port, links] = [await freePort(), await freePort()];
  const a = await scenario.use(startPostfix({ dir: 'postfix-a', settings: { relayhost: `[127.0.0.1]:${port}` } }));
  const site = { machine, a, sink, port, links };
  try {
    await installs(machine);
    for (const step of [starts, upgrades, isConfined, detaches, reloads, survivesHanging, purges]) await step(site);
  } catch (error) {
    t.diagnostic(await machine.sh(`journalctl --no-pager -u ${unit} | grep -v '"event":"transaction"' | tail -40`));
    throw error;
  }
});
