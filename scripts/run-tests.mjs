// Runs the tests of this checkout: `unit` (beside the code), `e2e` (test/e2e), or `all` (the default).
// Further arguments are parts of file names: `node scripts/run-tests.mjs e2e kill` runs what matches any, and
// `node scripts/run-tests.mjs unit src/ !browser` runs what is not excluded.
// Node 20 does not expand patterns for its test runner, so the files are found here.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');
const unit = ['src', 'lab', 'packaging', 'monitoring', 'scripts', 'test/harness', 'test/model', 'test/fuzz'];
/** Files that share a process at most. */
const maxGrouped = 8;
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
const groups = mkdtempSync(join(tmpdir(), 'detach-tests-'));
// Without a listener these signals would end this process before it has cleaned up; the runner gets them as well.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => undefined);
try {
  const { status } = spawnSync(process.execPath, [...options, ...grouped(files.sort())], {
    cwd: root,
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(groups, { recursive: true });
}

/**
 * Files of one folder of `src` share a process, eight at most: to start one and to load the program takes 1.3 s of CPU,
 * longer than most of their tests. A hook outside of `describe` would run for the tests of the others too: such a file
 * has a process of its own, as everything else has.
 */
function grouped(paths) {
  const alone = [];
  const open = new Map();
  const made = [];
  for (const path of paths) {
    if (!path.startsWith('src/') || /^(before|beforeEach|afterEach)\(/m.test(readFileSync(join(root, path), 'utf8'))) {
      alone.push(path);
      continue;
    }
    const folder = dirname(path);
    const group = open.get(folder) ?? [];
    group.push(path);
    open.set(folder, group);
    if (group.length === 1) made.push(group);
    if (group.length === maxGrouped) open.delete(folder);
  }
  return [...alone, ...made.map((group, i) => (group.length === 1 ? group[0] : groupFile(group, i)))].sort();
}

function groupFile(paths, number) {
  const name = dirname(paths[0]).replaceAll('/', '-');
  const file = join(groups, `${name}-${number}.test.mjs`);
  writeFileSync(
    file,
    paths.map((path) => `import ${JSON.stringify(pathToFileURL(join(root, path)).href)};\n`).join(''),
  );
  return file;
}
