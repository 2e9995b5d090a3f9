// `npm test`: everything that a fresh clone needs, the static checks, then all tests, ending with their count.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setupOrExit } from './setup.mjs';

const root = join(import.meta.dirname, '..');

setupOrExit();
step('npm', ['run', '--silent', 'check']);
step(process.execPath, ['scripts/run-tests.mjs', 'all', ...process.argv.slice(2)]);

function step(program, args) {
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
