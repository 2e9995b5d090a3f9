/** What Debian's own checker says of the package. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { currentPackage } from '../test/harness/machine/packages.ts';
import { privateDirectory } from '../test/harness/private-directory.ts';
import { run } from '../test/harness/process.ts';

const node = 'usr/lib/detach-mta/bin/node';

/**
 * The package with a small program in the place of Node, which is two thirds of the work: Node is the same until its hash
 * in the lock file changes, and has been checked as a whole then (CONTRIBUTING.md).
 */
async function withoutNode(directory: string): Promise<string> {
  const [tree, file] = [join(directory, 'tree'), join(directory, 'detach-mta.deb')];
  await run('dpkg-deb', ['--raw-extract', await currentPackage(), tree]);
  copyFileSync('/bin/true', join(tree, node));
  const sums = join(tree, 'DEBIAN/md5sums');
  const sum = createHash('md5')
    .update(readFileSync(join(tree, node)))
    .digest('hex');
  writeFileSync(sums, readFileSync(sums, 'utf8').replace(new RegExp(`^.*(?=  ${node}$)`, 'm'), sum));
  await run('dpkg-deb', ['--build', '--root-owner-group', '-Zxz', '-z0', tree, file]);
  return file;
}

test('lintian finds no error and no warning', async () => {
  const file = await withoutNode(privateDirectory('lintian'));
  const { status, stdout, stderr } = spawnSync('lintian', ['--allow-root', '--fail-on', 'error,warning', file], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  assert.equal(status, 0, stdout + stderr);
});
