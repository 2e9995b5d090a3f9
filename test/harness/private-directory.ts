import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from './process.ts';
import { serversIn } from './servers-in.ts';

const prefix = 'detach-test-';
const directories = new Set<string>();
let swept = false;

/**
 * A directory for this process only, readable by the system users that Postfix and Dovecot switch to. It is deleted
 * when the process ends. The next run deletes what a killed test run left behind, and ends its servers.
 */
export function privateDirectory(purpose: string): string {
  if (!swept) {
    swept = true;
    deleteLeftDirectories();
    process.once('exit', () => directories.forEach(removeDirectory));
  }
  const directory = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-${purpose}-`));
  chmodSync(directory, 0o755);
  directories.add(directory);
  return directory;
}

/** Ends servers that still run there (by the pid files of Postfix and Dovecot), unmounts and deletes everything. */
export function removeDirectory(directory: string): void {
  for (const file of ['queue/pid/master.pid', 'run/master.pid']) killGroup(join(directory, file), directory);
  for (const path of mountedIn(directory)) spawnSync('umount', ['-l', path]);
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  directories.delete(directory);
}

/** File systems of tests that were killed: a folder with one in it cannot be deleted. The last mounted comes first. */
function mountedIn(directory: string): readonly string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${directory}/`))
    .reverse();
}

/** Deletes what processes that were killed have left, and ends the servers there. */
export function deleteLeftDirectories(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const owner = Number(name.slice(prefix.length).split('-')[0]);
    if (!(owner > 0) || isAlive(owner)) continue;
    const directory = join(tmpdir(), name);
    serversIn(directory).forEach(killNow);
    removeDirectory(directory);
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone.
  }
}

function killGroup(pidFile: string, directory: string): void {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'));
    // Another process may have the number by now.
    if (!(pid > 1) || !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(directory)) return;
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Never started, or gone.
  }
}
