import assert from 'node:assert/strict';
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
  assert.equal(ports.length, 4);
  for (const line of ports) assert.match(line, /host_ip: "127\.0\.0\.1"/);
});
