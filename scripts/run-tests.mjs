// Runs the tests of this checkout: `unit` (beside the code), `e2e` (test/e2e), or both when nothing is named.
// Further arguments are parts of file names: `node scripts/run-tests.mjs e2e detach` runs what matches.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const [kind = 'all', ...filters] = process.argv.slice(2);
const roots = { unit: ['src', 'lab', 'test/harness'], e2e: ['test/e2e'], all: ['src', 'lab', 'test'] }[kind];
if (!roots) {
  console.error(`run-tests: ${kind}: expected unit, e2e or all`);
  process.exit(64);
}
const files = roots
  .flatMap((root) => readdirSync(root, { recursive: true }).map((file) => `${root}/${file}`))
  .filter((file) => file.endsWith('.test.ts') && filters.every((part) => file.includes(part)));
if (files.length === 0) {
  console.error('run-tests: no test file matches');
  process.exit(66);
}
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', '--test', '--test-concurrency=2', '--test-reporter=spec', ...files.sort()],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
