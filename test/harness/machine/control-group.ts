import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../process.ts';
import { waitFor } from '../wait.ts';

/**
 * A control group of a machine's own. Machines that share one find processes of each other there, which they cannot
 * signal: `systemctl kill` fails then.
 */
export class ControlGroup {
  /** Ends and removes those of machines whose processes were killed. What needs longer goes at the next time. */
  static removeLeftovers(): void {
    for (const hierarchy of hierarchies())
      for (const name of readdirSync(hierarchy)) {
        const owner = /^detach-test-(\d+)-/.exec(name)?.[1];
        if (owner === undefined || isAlive(Number(owner))) continue;
        endAll(join(hierarchy, name));
        isGone(join(hierarchy, name));
      }
  }

  /** One below ours in each hierarchy that systemd uses. */
  readonly #folders: readonly string[];

  constructor(name: string) {
    ControlGroup.removeLeftovers();
    this.#folders = hierarchies().map((folder) => join(folder, name));
    for (const folder of this.#folders) mkdirSync(folder);
  }

  /** A line of sh that enters it, and becomes the program that follows as arguments. */
  get enter(): string {
    return [...this.#folders.map((folder) => `echo $$ > '${folder}/cgroup.procs'`), 'exec "$@"'].join(' && ');
  }

  /** Ends what is left in it, also what is stopped, and removes it. */
  async remove(): Promise<void> {
    this.#folders.forEach(endAll);
    await waitFor(() => this.#folders.every(isGone), { what: 'the processes of a machine to end' });
  }
}

function endAll(folder: string): void {
  const kill = join(folder, 'cgroup.kill');
  if (existsSync(kill)) writeFileSync(kill, '1');
}

/** Where this process is in them (cgroups(7)): the second version's, and that of systemd in the first. */
function hierarchies(): readonly string[] {
  const paths = new Map(
    readFileSync('/proc/self/cgroup', 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(':'))
      .map(([, name = '', ...path]) => [name, path.join(':')]),
  );
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  return mounts.flatMap(([, at = '', type, options = '']) => {
    const name = options.split(',').find((option) => option === 'name=systemd');
    const path =
      type === 'cgroup2' ? paths.get('') : type === 'cgroup' && name !== undefined ? paths.get(name) : undefined;
    return path === undefined ? [] : [join(at, path)];
  });
}

/** Removes a group and those within it. @returns false while a process is in one of them */
function isGone(folder: string): boolean {
  if (!existsSync(folder)) return true;
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  if (!below.every(({ name }) => isGone(join(folder, name)))) return false;
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
