import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { privateDirectory } from '../../test/harness/private-directory.ts';
import { provisioning } from '../../test/harness/machine/two-nodes.ts';
import { run } from '../../test/harness/process.ts';

const text = readFileSync(join(import.meta.dirname, 'Vagrantfile'), 'utf8');

test('vagrant finds the Vagrantfile valid', async () => {
  const home = privateDirectory('vagrant');
  const env = {
    VAGRANT_CWD: import.meta.dirname,
    VAGRANT_HOME: join(home, 'home'),
    VAGRANT_DOTFILE_PATH: join(home, 'state'),
    VAGRANT_CHECKPOINT_DISABLE: '1',
  };
  const said = await run('vagrant', ['validate', '--ignore-provider'], { env });
  assert.match(said, /validated successfully/);
});

test('its machines are made by the scripts that make the machines of the lab', () => {
  const scripts = Array.from(text.matchAll(/path: "([^"]+)"/g), ([, path = '']) => join(import.meta.dirname, path));
  assert.deepEqual(scripts.sort(), Object.values(provisioning).sort());
  assert.ok(scripts.every((script) => existsSync(script)));
});

test('its ports are bound to loopback', () => {
  const ports = text.split('\n').filter((line) => line.includes('"forwarded_port"'));
  assert.equal(ports.length, 5);
  for (const line of ports) assert.match(line, /host_ip: "127\.0\.0\.1"/);
});

const boxScript = join(import.meta.dirname, 'box.sh');

function makeBox(args: readonly string[], env = process.env): readonly [status: number | null, said: string] {
  const { status, stderr } = spawnSync('/bin/sh', [boxScript, ...args], { env, encoding: 'utf8' });
  return [status, stderr];
}

test('box.sh says in one line how it is used, and what is missing', () => {
  assert.equal(spawnSync('/bin/sh', ['-n', boxScript]).status, 0);
  for (const args of [[], [''], ['--help'], ['a', 'b', 'c']])
    assert.deepEqual(makeBox(args), [64, 'box.sh: usage: box.sh BOX [MIRROR]\n'], String(args));
  const [status, said] = makeBox(['/nowhere/of.box'], { PATH: '/nowhere' });
  assert.equal(status, 1);
  assert.match(said, /^box\.sh: .*apt-get install mmdebstrap fdisk e2fsprogs grub-common qemu-utils( grub-pc-bin)?\n$/);
});

test("box.sh lets Vagrant's own key in", async () => {
  const files = (await run('dpkg', ['-L', 'vagrant'])).split('\n');
  const [file] = files.filter((each) => each.endsWith('/keys/vagrant.pub'));
  assert.ok(file);
  const [kind = '', key = ''] = readFileSync(file, 'utf8').split(' ');
  assert.ok(readFileSync(boxScript, 'utf8').includes(`'${kind} ${key} `));
});
