import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../process.ts';

const root = join(import.meta.dirname, '../../..');

/** What a small Debian has, and what the package of Detach MTA depends on: it is installed without a network. */
const packages = ['systemd', 'systemd-sysv', 'dbus', 'adduser', 'init-system-helpers', 'libstdc++6', 'libgcc-s1'];

/** Where this machine gets its own Debian packages from, in either form that apt knows. */
const sources = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];

/** The files of a Debian 12 with systemd, made once for a checkout. To be copied, not to be changed. */
export async function machineFiles(): Promise<string> {
  const made = join(root, '.setup/machine');
  if (existsSync(made)) return made;
  const source = sources.find((file) => existsSync(file));
  if (source === undefined) throw new Error(`none of these is there: ${sources.join(', ')}`);
  mkdirSync(join(root, '.setup'), { recursive: true });
  const work = mkdtempSync(join(root, '.setup/machine-'));
  try {
    const options = ['--variant=minbase', '--quiet', `--include=${packages.join(',')}`];
    await run('mmdebstrap', [...options, 'bookworm', join(work, 'root'), source]);
    renameSync(join(work, 'root'), made);
  } catch (error) {
    // Another test run of this checkout was quicker.
    if (!existsSync(made)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return made;
}
