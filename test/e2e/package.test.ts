/**
 * The Debian package in a machine with a booted systemd: installed, configured, started, reloaded and upgraded under
 * load, hung, purged. Postfix A stands before it, a sink behind it.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { Machine, startMachine } from '../harness/machine/machine.ts';
import { freePort } from '../harness/ports.ts';
import { startPostfix, type PostfixInstance } from '../harness/postfix.ts';
import { run } from '../harness/process.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startSink, type Sink } from '../harness/sink.ts';
import { waitFor } from '../harness/wait.ts';
import { linkIn } from './chain.ts';

const envelope = { from: 'a@example.com', to: ['b@example.org'] };
const unit = 'detach-mta.service';
const configuration = '/etc/detach-mta/detach-mta.yaml';
const root = join(import.meta.dirname, '../..');

/** Messages while the service is reloaded. */
const underReload = 1000;
/** Messages that come by Postfix A while the package is replaced. */
const underUpgrade = 200;

/** Makes the package of this checkout, and one that is the same with a later version. */
async function makePackages(scenario: Scenario): Promise<{ readonly first: string; readonly next: string }> {
  const said = await run(process.execPath, [join(root, 'packaging/package.mjs')]);
  const first = said.trim().split('\n').at(-1)!;
  scenario.defer(() => run('rm', ['-f', first]));

  const directory = scenario.directory('packages');
  const tree = join(directory, 'tree');
  await run('dpkg-deb', ['-R', first, tree]);
  await run('sed', ['-i', '-E', 's/^Version: (.*)$/Version: \\1.next/', join(tree, 'DEBIAN/control')]);
  const next = join(directory, 'next.deb');
  await run('dpkg-deb', ['-b', '-Znone', tree, next]);
  return { first, next };
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
const becomesActive = (machine: Machine): Promise<boolean> =>
  waitFor(async () => (await machine.property(unit, 'ActiveState')) === 'active', { what: 'the unit to be active' });

async function reloads(site: Site): Promise<void> {
  const { machine, port } = site;
  let sent = 0;
  const load = Array.from({ length: 4 }, async () => {
    while (sent < underReload) {
      sent += 1;
      const message = buildMessage({ ...envelope, subject: `reload ${sent}.` });
      const { final } = await sendMail({ port, ...envelope, message });
      assert.equal(final[0]?.code, 250);
    }
  });
  await machine.run('systemctl', ['reload', unit]);
  const right = machine.read(configuration);
  machine.write(configuration, `${right}\nnonsense: 1\n`);
  await assert.rejects(machine.run('systemctl', ['reload', unit]));
  machine.write(configuration, right);
  await machine.run('systemctl', ['reload', unit]);
  await Promise.all(load);
  assertOnce(site, 'reload', underReload);
  await becomesActive(machine);
}

async function upgrades(site: Site): Promise<void> {
  const { machine, a } = site;
  const before = await machine.property(unit, 'MainPID');
  let going = true;
  let sent = 0;
  const load = async (): Promise<void> => {
    while (going || sent < underUpgrade) {
      sent += 1;
      const message = buildMessage({ ...envelope, subject: `upgrade ${sent}.` });
      await sendMail({ port: a.port, ...envelope, message });
    }
  };
  const loading = load();
  await install(machine, 'next.deb');
  going = false;
  await loading;
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
  await machine.run('systemctl', ['kill', '--signal=STOP', unit]);
  const message = buildMessage({ ...envelope, subject: 'hanging 1.' });
  await sendMail({ port: a.port, ...envelope, message });
  await waitFor(async () => !['0', before].includes(await machine.property(unit, 'MainPID')), {
    what: 'another process in place of the one that hangs',
  });
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
  const { first, next } = await makePackages(scenario);
  const machine = await scenario.use(startMachine());
  await run('cp', [first, join(machine.root, 'first.deb')]);
  await run('cp', [next, join(machine.root, 'next.deb')]);
  const sink = await scenario.use(startSink());
  const [port, links] = [await freePort(), await freePort()];
  const a = await scenario.use(startPostfix({ dir: 'postfix-a', settings: { relayhost: `[127.0.0.1]:${port}` } }));
  const site = { machine, a, sink, port, links };
  try {
    await installs(machine);
    await starts(site);
    await detaches(site);
    await reloads(site);
    await upgrades(site);
    await survivesHanging(site);
    await purges(site);
  } catch (error) {
    t.diagnostic(await machine.sh(`journalctl --no-pager -u ${unit} | grep -v '"event":"transaction"' | tail -40`));
    throw error;
  }
});
