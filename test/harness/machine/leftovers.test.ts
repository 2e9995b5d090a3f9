/** A process that is killed leaves a network, a control group with a process in it, a mounted file system and a server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { isAlive, run } from '../process.ts';
import { waitFor } from '../wait.ts';
import { removeLeftovers } from './leftovers.ts';

const leaves = `
  import { spawn } from 'node:child_process';
  import { mkdirSync } from 'node:fs';
  import { ControlGroup } from './control-group.ts';
  import { Network } from './network.ts';
  import { privateDirectory } from '../private-directory.ts';
  import { run } from '../process.ts';
  const network = new Network('detach-' + process.pid);
  await network.up();
  const group = new ControlGroup('detach-test-' + process.pid + '-m');
  const sleeper = spawn('sh', ['-c', group.enter, 'sh', 'sleep', '1000'], { detached: true, stdio: 'ignore' });
  const folder = privateDirectory('left');
  mkdirSync(folder + '/spool');
  await run('mount', ['-t', 'tmpfs', 'tmpfs', folder + '/spool']);
  const server = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)', folder + '/spool'], { detached: true, stdio: 'ignore' });
  console.log(JSON.stringify({ folder, sleeper: sleeper.pid, server: server.pid }));
  setInterval(() => undefined, 1000);
`;

interface Left {
  readonly folder: string;
  readonly sleeper: number;
  readonly server: number;
}

test('what a killed process has left is removed by the next one', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', leaves], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { folder, sleeper, server } = JSON.parse(line) as Left;
  const isInGroup = (): boolean => /\/\S*detach-test-\d+-m$/m.test(readFileSync(`/proc/${sleeper}/cgroup`, 'utf8'));
  await waitFor(isInGroup, { what: 'the process to be in its group' });

  const left = async (): Promise<readonly string[]> => [
    ...(await run('ip', ['netns', 'list'])).split('\n').filter((name) => name.startsWith(`detach-${child.pid}-`)),
    ...readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((mount) => mount.includes(folder)),
    ...(existsSync(folder) ? [folder] : []),
    ...[sleeper, server].filter(isAlive).map(String),
    ...groupsOf(child.pid!),
  ];
  assert.ok((await left()).length >= 7, String(await left()));
  // From now on it may be another test that removes them.
  child.kill('SIGKILL');
  await once(child, 'exit');
  // The end of a process takes a moment.
  const isClean = async (): Promise<boolean> => {
    await removeLeftovers();
    return (await left()).length === 0;
  };
  await waitFor(isClean, { what: 'all of it to be gone' });
});

/** Control groups of a process, wherever these are mounted. */
function groupsOf(pid: number): readonly string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type = '']) => type.startsWith('cgroup'));
  return mounts.flatMap(([, at = '']) => readdirSync(at).filter((name) => name.startsWith(`detach-test-${pid}-`)));
}
