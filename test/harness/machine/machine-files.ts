import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../process.ts';
import { madeOnce } from './made-once.ts';

/** What a small Debian has, and what the package of Detach MTA depends on: it is installed without a network. */
const packages = ['systemd', 'systemd-sysv', 'dbus', 'adduser', 'init-system-helpers', 'libstdc++6', 'libgcc-s1'];

/** What the nodes of the lab install besides, without a network: in /packages of the files. */
const nodePackages = {
  a: ['postfix'],
  b: ['postfix', 'dovecot-core', 'dovecot-imapd', 'dovecot-lmtpd', 'dovecot-sieve'],
} as const;

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
    const downloads = Object.entries(nodePackages).map(([node, names]) => `--customize-hook=${download(node, names)}`);
    // Nothing here has to survive a power cut.
    await run('mmdebstrap', [...options, ...downloads, '--dpkgopt=force-unsafe-io', 'bookworm', root, source]);
    await run('rm', ['-rf', ...unread.map((name) => join(root, name))]);
  });
  return join(made, 'root');
}

/** A line of sh, in which mmdebstrap puts the root for $1. */
function download(node: string, names: readonly string[]): string {
  const archives = `/packages/${node}`;
  const apt = `apt-get -o Dir::Cache::archives=${archives} install -y --no-install-recommends --download-only`;
  return `mkdir -p "$1"${archives}/partial && chroot "$1" ${apt} ${names.join(' ')} && rm -rf "$1"${archives}/partial "$1"${archives}/lock`;
}
