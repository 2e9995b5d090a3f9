/** What `npm pack` makes runs as it is: nothing that it needs is left out. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { privateDirectory } from '../test/harness/private-directory.ts';

const repository = join(import.meta.dirname, '..');

test('npm pack: the command runs from the package alone', () => {
  const directory = privateDirectory('npm-pack');
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', directory];
  const name = execFileSync('npm', pack, { cwd: repository, encoding: 'utf8' }).trim();
  execFileSync('tar', ['xzf', join(directory, name), '-C', directory]);
  const root = join(directory, 'package');
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly bin: Readonly<Record<string, string>>;
  };
  const program = join(root, bin['detach-mta'] ?? '');
  assert.match(readFileSync(program, 'utf8'), /^#!\/usr\/bin\/env node\n/);

  const args = [program, 'config', '--config', join(root, 'packaging/etc/detach-mta.yaml')];
  const config = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: directory });
  assert.equal(config.status, 78, config.stderr);
  assert.match(config.stderr, /outbound\.nextHop: is missing/);

  // What the documents in it lead to.
  for (const file of [
    'postfix-a/main.cf',
    'postfix-b/tuning/university.cf',
    'lab/settings/university.yaml',
    'docs/README.md',
  ])
    assert.ok(existsSync(join(root, file)), file);
  assert.ok(!existsSync(join(root, 'src')));
});
