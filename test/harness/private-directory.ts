import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from './process.ts';

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
    sweep();
    process.once('exit', () => directories.forEach(removeDirectory));
  }
  const directory = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-${purpose}-`));
  chmodSync(directory, 0o755);
  directories.add(directory);
  return directory;
}

/** Ends servers that still run there (by the pid files of Postfix and Dovecot), and deletes everything. */
export function removeDirectory(directory: string): void {
  for (const file of ['queue/pid/master.pid', 'run/master.pid']) killGroup(join(directory, file), directory);
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  directories.delete(directory);
}

function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const owner = Number(name.slice(prefix.length).split('-')[0]);
    if (owner > 0 && !isAlive(owner)) removeDirectory(join(tmpdir(), name));
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
