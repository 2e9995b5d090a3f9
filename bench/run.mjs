// `npm run bench`: makes sure of everything that is measured, then measures. See `npm run bench -- --help`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setUp } from './setup.mjs';

const [script = 'main', ...args] =
  process.argv[2] === '--profile' ? ['profile', ...process.argv.slice(3)] : ['main', ...process.argv.slice(2)];
setUp();
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', join(import.meta.dirname, `${script}.ts`), ...args],
  {
    stdio: 'inherit',
  },
);
process.exit(status ?? 1);
