import assert from 'node:assert/strict';
import { chmodSync, chownSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { privateDirectory } from '../test/harness/private-directory.ts';
import { labPlace } from './places.ts';

test('a lab lives in a directory that its owner alone writes in, and that its servers can enter', async () => {
  const home = join(privateDirectory('lab-places'), 'home');
  const { ports } = await labPlace(home);
  assert.equal(statSync(home).mode & 0o777, 0o755);
  assert.deepEqual((await labPlace(home)).ports, ports);
  chmodSync(home, 0o1777);
  await assert.rejects(labPlace(home), /home: must belong to you, and nobody else may write there/);
  chmodSync(home, 0o700);
  await assert.rejects(labPlace(home), /home: other users cannot enter it/);
  chmodSync(home, 0o755);
  chownSync(home, 65534, 65534);
  await assert.rejects(labPlace(home), /must belong to you/);
});
