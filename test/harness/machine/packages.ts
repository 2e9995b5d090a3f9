import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../process.ts';
import { madeOnce } from './made-once.ts';

const root = join(import.meta.dirname, '../../..');

/** What goes into the package. */
const inputs = [
  ...['dist', 'docs', 'packaging', 'postfix-a', 'postfix-b', 'dovecot', 'deploy', 'lab/settings', 'monitoring'],
  ...['LICENSE', 'CHANGELOG.md', 'SECURITY.md', 'CONTRIBUTING.md', 'package.json', 'package-lock.json'],
];

/** What a package of another commit takes from this checkout. */
const shared = ['package-lock.json', 'packaging/node'];

/** The Debian package of this checkout, made once for the state that it is in. */
export async function currentPackage(): Promise<string> {
  const made = await madeOnce(`package-${fingerprint()}`, (folder) => makePackage(root, join(folder, 'current.deb')));
  return join(made, 'current.deb');
}

/**
 * The package that this one replaces: that of the commit before. Where there is none, as in a shallow clone, or where it
 * needs other modules: the current one with an earlier version.
 */
export async function packageBefore(): Promise<string> {
  const commit = await commitBefore();
  const name = `package-before-${commit?.slice(0, 16) ?? fingerprint()}`;
  const made = await madeOnce(name, async (folder) => {
    const file = join(folder, 'before.deb');
    if (commit === undefined) await makeEarlier(await currentPackage(), folder);
    else await makeOf(commit, folder, file);
  });
  return join(made, 'before.deb');
}

/** `--quick` hardly compresses, and takes modules and Node from what is installed. */
async function makePackage(checkout: string, file: string): Promise<void> {
  await run(process.execPath, [join(checkout, 'packaging/package.mjs'), '--quick', file]);
}

/** The commit before this one. */
async function commitBefore(): Promise<string | undefined> {
  try {
    await git(root, 'diff', '--quiet', 'HEAD~1', '--', ...shared);
    return (await git(root, 'rev-parse', 'HEAD~1')).trim();
  } catch {
    return undefined;
  }
}

/** Made by the scripts of that commit, in a clone of its own. */
async function makeOf(commit: string, folder: string, file: string): Promise<void> {
  const checkout = join(folder, 'checkout');
  await git(root, 'clone', '--quiet', '--shared', '--no-checkout', root, checkout);
  await git(checkout, 'checkout', '--quiet', '--detach', commit);
  for (const modules of ['node_modules', 'packaging/node/node_modules'])
    if (existsSync(join(root, modules))) symlinkSync(join(root, modules), join(checkout, modules));
  await build(commit, checkout);
  await makePackage(checkout, file);
  rmSync(checkout, { recursive: true });
}

async function build(commit: string, checkout: string): Promise<void> {
  if (await isUnchanged(commit)) {
    cpSync(join(root, 'dist'), join(checkout, 'dist'), { recursive: true });
    return;
  }
  await run('npm', ['run', '--silent', '--prefix', checkout, 'build']);
}

async function isUnchanged(commit: string): Promise<boolean> {
  const changed = await git(root, 'diff', '--name-only', commit, '--', 'src', 'packaging/build.mjs');
  return changed.trim() === '';
}

/** deb(5): an archive of ar with the control files in an archive of their own; only that one is made again. */
async function makeEarlier(current: string, folder: string): Promise<void> {
  const earlier = [
    'set -e; cd "$1"; mkdir control; dpkg-deb -e "$2" control',
    "sed -i -E 's/^Version: (.*)$/Version: 0~\\1/' control/control",
    'member=$(ar t "$2" | grep ^control.tar)',
    'tar -C control --owner=root:0 --group=root:0 -c -a -f "$member" .',
    'cp "$2" before.deb; ar r before.deb "$member"; rm -r control "$member"',
  ];
  await run('sh', ['-c', earlier.join('\n'), 'sh', folder, current]);
}

const git = (directory: string, ...args: readonly string[]): Promise<string> =>
  run('git', ['-c', 'safe.directory=*', '-C', directory, ...args]);

function fingerprint(): string {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap((input) => filesOf(join(root, input))))
    hash.update(file).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  const entries = readdirSync(path, { withFileTypes: true }).filter(({ name }) => name !== 'node_modules');
  return entries.flatMap(({ name }) => filesOf(join(path, name))).sort();
}
