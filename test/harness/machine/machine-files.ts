import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../process.ts';
import { madeOnce } from './made-once.ts';

/** What a small Debian has, and what the package of Detach MTA depends on: it is installed without a network. */
const packages = ['systemd', 'systemd-sysv', 'dbus', 'adduser', 'init-system-helpers', 'libstdc++6', 'libgcc-s1'];

const scripts = join(import.meta.dirname, '../../../lab/two-nodes');

/** Brings what the nodes of the lab install besides, without a network: to /packages of the files. */
const download = join(scripts, 'download.sh');

/** Where this machine gets its own Debian packages from, in either form that apt knows. */
const sources = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];

/** What nobody reads there. */
const unread = ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'var/lib/apt/lists'];

/** `bare`: a Debian 12 with systemd. `node`: with the Debian packages of both nodes of the lab as well. */
export type MachineKind = 'bare' | 'node';

/**
 * Programs with this do not wait for the disk, dpkg five times for each package else: nothing here has to survive a power
 * cut.
 */
const quick = { LD_PRELOAD: 'libeatmydata.so' } as const;

/** A line of sh that brings the library into new files, "$1", before dpkg is there. */
async function bringQuick(): Promise<string> {
  const files = (await run('dpkg', ['-L', 'libeatmydata1'])).split('\n').filter((file) => file.includes('.so'));
  const [folder] = files.map(dirname);
  return `mkdir -p "$1${folder}" && cp -a ${files.join(' ')} "$1${folder}"`;
}

const { XDG_CACHE_HOME: cache = '' } = process.env;

/** For all checkouts of this machine. Nobody else may enter: setuid programs of another month lie there. */
const home = join(cache === '' ? '/var/cache' : cache, 'detach-mta-lab');

/** The files of a machine, made once a month. To be copied, not to be changed. */
export async function machineFiles(kind: MachineKind): Promise<string> {
  return join(await (kind === 'bare' ? bareFiles() : nodeFiles()), 'root');
}

/** The Debian packages that a bare machine without a network becomes a node with. To be copied, not to be changed. */
export async function nodePackages(): Promise<string> {
  return join(await bareFiles(), 'packages');
}

function bareFiles(): Promise<string> {
  deleteOld();
  return madeOnce(`bare-${recipe()}`, makeBare, { home });
}

async function nodeFiles(): Promise<string> {
  const bare = await bareFiles();
  const make = (folder: string): Promise<void> => makeNode(bare, join(folder, 'root'));
  return madeOnce(`node-${recipe()}`, make, { home });
}

async function makeBare(folder: string): Promise<void> {
  const source = sources.find((file) => existsSync(file));
  if (source === undefined) throw new Error(`none of these is there: ${sources.join(', ')}`);
  const root = join(folder, 'root');
  const options = ['--variant=minbase', '--quiet', `--include=${packages.join(',')}`];
  const hooks = [`--setup-hook=${await bringQuick()}`, `--customize-hook=sh '${download}' --into "$1"`];
  await run('mmdebstrap', [...options, ...hooks, 'bookworm', root, source], { env: quick });
  await run('mv', [join(root, 'packages'), folder]);
  await clean(root);
}

async function makeNode(bare: string, root: string): Promise<void> {
  await run('cp', ['-a', '--reflink=auto', join(bare, 'root'), root]);
  await installPackages(root, join(bare, 'packages'));
  await clean(root);
}

/** Those of other recipes that were made more than a week ago: another checkout may need younger ones. */
function deleteOld(): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const weekAgo = Date.now() - 7 * 86_400_000;
  for (const name of readdirSync(home)) {
    const made = statSync(join(home, name), { throwIfNoEntry: false });
    if (made === undefined || made.mtimeMs > weekAgo || name.includes(recipe())) continue;
    rmSync(join(home, name), { recursive: true, force: true });
  }
}

/** By the code that provisions a node. Packages of node B include those of node A. */
async function installPackages(root: string, from: string): Promise<void> {
  const policy = join(root, 'usr/sbin/policy-rc.d');
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const options = ['--register=no', '--keep-unit', '--quiet', '--suppress-sync=yes', '--resolv-conf=off', '-D', root];
  const binds = [`--bind-ro=${scripts}:/run/scripts`, `--bind-ro=${from}:/run/site/packages`];
  // Postfix runs on both nodes, Dovecot on node B only.
  const install = [
    'set -eu; site=/run/site; node=b; . /run/scripts/common.sh',
    'answer_questions; install_packages; systemctl disable --quiet dovecot',
  ].join('; ');
  await run('systemd-nspawn', [...options, ...binds, '/bin/sh', '-c', install]);
  rmSync(policy);
}

const clean = (root: string): Promise<string> => run('rm', ['-rf', ...unread.map((name) => join(root, name))]);

/** Another one in another month, and when this file or the list of packages has changed: an earlier one is of no use then. */
function recipe(): string {
  const hash = createHash('sha256').update(new Date().toISOString().slice(0, 7));
  for (const file of [import.meta.filename, download, join(scripts, 'common.sh')]) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}
