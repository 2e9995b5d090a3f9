import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../test/harness/process.ts';
import { Scenario } from '../test/harness/scenario.ts';
import { labKeys } from './keys.ts';
import { labPlace } from './places.ts';
import { claim } from './state.ts';

test('a full disk leaves no half of a file in the home of a lab, and the next start with room is a good one', async (t) => {
  const scenario = new Scenario(t);
  const home = scenario.directory('lab-full');
  await run('mount', ['-t', 'tmpfs', '-o', 'size=4k,mode=755', 'tmpfs', home]);
  scenario.defer(() => run('umount', ['-l', home]));
  writeFileSync(join(home, 'filler'), Buffer.alloc(4096));
  await assert.rejects(labPlace(home), /ENOSPC/);
  assert.throws(() => labKeys(home), /ENOSPC/);
  assert.deepEqual(readdirSync(home), ['filler']);
  await run('mount', ['-o', 'remount,size=1m', home]);
  const { ports } = await labPlace(home);
  assert.deepEqual(JSON.parse(readFileSync(join(home, 'ports.json'), 'utf8')), ports);
  assert.equal(labKeys(home).password, labKeys(home).password);
});

test('a lab that cannot write its state says why, and not that another one starts', (t) => {
  const scenario = new Scenario(t);
  const home = scenario.directory('lab-state');
  const state = { pid: process.pid, ports: {} as never, preset: 'relayhost' };
  assert.throws(() => claim(join(home, 'absent'), state), /ENOENT/);
  claim(home, state);
  assert.throws(() => claim(home, state), /another lab is starting here/);
});
