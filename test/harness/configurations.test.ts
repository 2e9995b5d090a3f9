import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyConfiguration, makeCold } from './postfix-home.ts';
import { Scenario } from './scenario.ts';

const directories = [
  'postfix-a',
  'postfix-a/single-postfix',
  'postfix-a/single-postfix-relayhost',
  'postfix-a/before-queue',
  'postfix-a/milter',
  'postfix-b',
];

for (const directory of directories) {
  test(`Postfix has nothing to say against ${directory}`, (t) => {
    const copy = new Scenario(t).directory('configuration');
    copyConfiguration(directory, copy);
    makeCold(join(copy, 'main.cf'));
    // Misspelled parameters, undefined transports and missing tables give warnings on standard error.
    for (const what of ['-n', '-M', '-P']) {
      const { status, stderr } = spawnSync('postconf', ['-c', copy, what], { encoding: 'utf8' });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    }
  });
}
