import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { privateDirectory } from '../../test/harness/private-directory.ts';
import { ours } from '../measure/figure.ts';

/** One build of the program on one Node: a peer. */
export interface Build {
  readonly name: string;
  /** Holds `main.js`. */
  readonly directory: string;
  /** The Node that runs it. */
  readonly node: string;
}

const root = join(import.meta.dirname, '../..');

export const thisCheckout: Build = { name: ours, directory: join(root, 'dist'), node: process.execPath };

/** This checkout's build on another Node. @throws Error when the file is no Node */
export function onOtherNode(node: string): Build {
  const version = run(node, ['--version'], root).trim();
  return { ...thisCheckout, name: `${ours} on Node ${version}`, node: resolve(node) };
}

/**
 * A build from before a change: a folder that holds `main.js`, or a revision of this repository, which is built in a
 * temporary folder and removed when the benchmark ends. The first one is called `baseline`, the second `baseline 2`.
 * @throws Error when it is neither, or cannot be built
 */
export function baselineOf(directoryOrRevision: string, index: number): Build {
  const directory = resolve(directoryOrRevision);
  const isBuild = existsSync(join(directory, 'main.js'));
  return {
    ...thisCheckout,
    name: index === 0 ? 'baseline' : `baseline ${index + 1}`,
    directory: isBuild ? directory : buildRevision(directoryOrRevision),
  };
}

function buildRevision(revision: string): string {
  const commit = run('git', ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`], root).trim();
  const home = privateDirectory('bench-baseline');
  process.once('exit', () => rmSync(home, { recursive: true, force: true }));
  run('sh', ['-c', `git archive ${commit} | tar -x -C "$0"`, home], root);
  const sameLibraries =
    spawnSync('cmp', ['-s', join(home, 'package-lock.json'), join(root, 'package-lock.json')]).status === 0;
  if (sameLibraries) symlinkSync(join(root, 'node_modules'), join(home, 'node_modules'));
  else run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], home);
  run('npm', ['run', '--silent', 'build'], home);
  return join(home, 'dist');
}

function run(program: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')} failed: ${error?.message ?? stderr.trim()}`);
}
