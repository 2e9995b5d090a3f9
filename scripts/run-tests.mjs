// Runs the tests of this checkout: `unit` (beside the code), `e2e` (test/e2e), or `all` (the default).
// Further arguments are parts of file names: `node scripts/run-tests.mjs e2e kill` runs what matches any, and
// `node scripts/run-tests.mjs unit src/ !browser` runs what is not excluded.
// Node 20 does not expand patterns for its test runner, so the files are found here.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const unit = ['src', 'lab', 'packaging', 'monitoring', 'scripts', 'test/harness', 'test/model', 'test/fuzz'];
const kinds = { unit, e2e: ['test/e2e'], all: [...unit, 'test/e2e'] };

const [kind = 'all', ...parts] = process.argv.slice(2);
const filters = parts.filter((part) => !part.startsWith('!'));
const excluded = parts.filter((part) => part.startsWith('!')).map((part) => part.slice(1));
const folders = kinds[kind];
if (!folders) {
  console.error(`run-tests: ${kind}: expected ${Object.keys(kinds).join(', ')}`);
  process.exit(64);
}
const files = folders
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((file) => join(folder, file)))
  .filter(
    (file) =>
      /\.test\.(ts|mjs)$/.test(file) &&
      (filters.length === 0 || filters.some((part) => file.includes(part))) &&
      !excluded.some((part) => file.includes(part)),
  );
if (files.length === 0) {
  console.error('run-tests: no test file matches');
  process.exit(66);
}
// Scenarios wait for their neighbours much of the time: one more than there are processors.
const concurrency = `--test-concurrency=${availableParallelism() + 1}`;
const options = ['--import', 'tsx', '--test', concurrency, '--test-timeout=1500000', '--test-reporter=spec'];
const { status } = spawnSync(process.execPath, [...options, ...files.sort()], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
