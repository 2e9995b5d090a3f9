import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../process.ts';
import { madeOnce } from './made-once.ts';

const root = join(import.meta.dirname, '../../..');

/** What goes into the package. */
const inputs = ['dist', 'docs', 'packaging', 'postfix-a', 'postfix-b', 'LICENSE', 'package.json', 'package-lock.json'];

export interface Packages {
  /** The Debian package of this checkout. */
  readonly first: string;
  /** The same with a later version. */
  readonly next: string;
}

/** Made once for the state that the checkout is in. */
export async function packages(): Promise<Packages> {
  const made = await madeOnce(`package-${fingerprint()}`, async (folder) => {
    const first = join(folder, 'first.deb');
    await run(process.execPath, [join(root, 'packaging/package.mjs'), '--quick', first]);
    await makeNext(folder);
  });
  return { first: join(made, 'first.deb'), next: join(made, 'next.deb') };
}

/** deb(5): an archive of ar with the control files in an archive of their own; only that one is made again. */
async function makeNext(folder: string): Promise<void> {
  const later = [
    'set -e; cd "$1"; mkdir control; dpkg-deb -e first.deb control',
    "sed -i -E 's/^Version: (.*)$/Version: \\1.next/' control/control",
    'member=$(ar t first.deb | grep ^control.tar)',
    'tar -C control --owner=root:0 --group=root:0 -c -a -f "$member" .',
    'cp first.deb next.deb; ar r next.deb "$member"; rm -r control "$member"',
  ];
  await run('sh', ['-c', later.join('\n'), 'sh', folder]);
}

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
