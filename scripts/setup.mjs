// Brings a fresh clone to where lab and tests can run: Debian packages, npm packages, the compiled program. Does only
// what is missing, so it takes a moment when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installPackages } from './debian-packages.mjs';
import { withLock } from './lock.mjs';
import { makeSystemUsers } from './system-users.mjs';

const root = join(import.meta.dirname, '..');
const state = join(root, '.setup');

export function setup() {
  withLock(state, () => {
    installPackages();
    makeSystemUsers();
    installModules();
    build();
  });
}

function installModules() {
  if (modulesAreCurrent()) return;
  console.log('setup: npm ci');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** Compares what npm says it has installed with what the lock file asks for. */
function modulesAreCurrent() {
  const installed = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  const have = JSON.parse(readFileSync(installed, 'utf8')).packages;
  const want = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(want).every(
    ([path, { version, optional }]) => path === '' || optional || have[path]?.version === version,
  );
}

function build() {
  const made = join(root, 'dist/main.js');
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const inputs = [...sources, ...['packaging/build.mjs', 'package-lock.json'].map((name) => join(root, name))];
  const newest = Math.max(...inputs.map((file) => statSync(file).mtimeMs));
  if (existsSync(made) && statSync(made).mtimeMs >= newest) return;
  console.log('setup: npm run build');
  // Built beside the old program and then moved into its place, so that no process meets half a program.
  const next = join(state, 'dist');
  rmSync(next, { recursive: true, force: true });
  run(process.execPath, [join(root, 'packaging/build.mjs'), next]);
  const old = join(state, 'dist.old');
  rmSync(old, { recursive: true, force: true });
  if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
  renameSync(next, join(root, 'dist'));
  rmSync(old, { recursive: true, force: true });
}

function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed ${error?.message ?? `(exit ${status})`}`);
}

/** As `setup`, and ends the process with one clear line when it fails. */
export function setupOrExit() {
  try {
    setup();
  } catch (error) {
    console.error(`setup: ${error.message}`);
    process.exit(1);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) setupOrExit();
