import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyConfiguration, makeCold, writeSettings } from './postfix-home.ts';
import { Scenario } from './scenario.ts';
import { readSettings, settingsNames } from './settings.ts';

const directories = [
  'postfix-a',
  'postfix-a/single-postfix',
  'postfix-a/single-postfix-relayhost',
  'postfix-a/before-queue',
  'postfix-a/milter',
  'postfix-b',
];

/** Misspelled parameters, undefined transports and missing tables give warnings on standard error. */
function hasNothingToSay(configuration: string): void {
  for (const what of ['-n', '-M', '-P']) {
    const { status, stderr } = spawnSync('postconf', ['-c', configuration, what], { encoding: 'utf8' });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  }
}

for (const directory of directories) {
  test(`Postfix has nothing to say against ${directory}`, (t) => {
    const copy = new Scenario(t).directory('configuration');
    copyConfiguration(directory, copy);
    makeCold(join(copy, 'main.cf'));
    hasNothingToSay(copy);
  });
}

for (const side of ['postfix-a', 'postfix-b'] as const) {
  for (const name of settingsNames) {
    test(`Postfix has nothing to say against ${side}/tuning/${name}.cf, with TLS and without`, async (t) => {
      const copy = new Scenario(t).directory('configuration');
      copyConfiguration(side, copy);
      for (const tls of [false, true]) {
        await writeSettings(copy, readSettings(side, name, { tls }));
        hasNothingToSay(copy);
      }
    });
  }
}

test('the command of docs/tuning.md lays a set over a main.cf', (t) => {
  const copy = new Scenario(t).directory('configuration');
  copyConfiguration('postfix-a', copy);
  makeCold(join(copy, 'main.cf'));
  const repository = join(import.meta.dirname, '../..');
  const command = /^sed .*postconf.*$/m.exec(readFileSync(join(repository, 'docs/tuning.md'), 'utf8'))?.[0] ?? '';
  assert.ok(command.includes('-c /etc/postfix'), command);
  execFileSync('sh', ['-c', command.replace('-c /etc/postfix', `-c ${copy}`)], { cwd: repository });
  makeCold(join(copy, 'main.cf'));
  hasNothingToSay(copy);
  const shown = execFileSync('postconf', ['-c', copy, '-n'], { encoding: 'utf8' });
  for (const [name, value] of Object.entries(readSettings('postfix-a', 'university')))
    assert.ok(shown.includes(`\n${name} = ${value}\n`), `${name} in ${shown}`);
});
