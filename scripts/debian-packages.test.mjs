import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notInstalled } from './debian-packages.mjs';

test('a package that dpkg knows and that is not installed is missing, like one that it does not know', () => {
  const answer = 'installed postfix\nnot-installed systemd-container\nconfig-files swaks\nhalf-installed php-cli\n';
  const names = ['postfix', 'systemd-container', 'swaks', 'php-cli', 'vagrant'];
  assert.deepEqual(notInstalled(names, answer), ['systemd-container', 'swaks', 'php-cli', 'vagrant']);
});
