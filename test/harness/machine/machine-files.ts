import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../process.ts';
import { madeOnce } from './made-once.ts';

/** What a small Debian has, and what the package of Detach MTA depends on: it is installed without a network. */
const packages = ['systemd', 'systemd-sysv', 'dbus', 'adduser', 'init-system-helpers', 'libstdc++6', 'libgcc-s1'];

/** Where this machine gets its own Debian packages from, in either form that apt knows. */
const sources = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];

/** What nobody reads there. */
const unread = ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'var/lib/apt/lists'];

/** The files of a Debian 12 with systemd, made once for a checkout. To be copied, not to be changed. */
export async function machineFiles(): Promise<string> {
  const made = await madeOnce('machine', async (folder) => {
    const source = sources.find((file) => existsSync(file));
    if (source === undefined) throw new Error(`none of these is there: ${sources.join(', ')}`);
    const root = join(folder, 'root');
    const options = ['--variant=minbase', '--quiet', `--include=${packages.join(',')}`];
    // Nothing here has to survive a power cut.
    await run('mmdebstrap', [...options, '--dpkgopt=force-unsafe-io', 'bookworm', root, source]);
    await run('rm', ['-rf', ...unread.map((name) => join(root, name))]);
  });
  return join(made, 'root');
}
