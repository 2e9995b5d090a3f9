// `npm run bench`: installs and builds what is missing, then measures. See `npm run bench -- --help`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setUp } from './setup.mjs';

const [first, ...rest] = process.argv.slice(2);
const profiling = first === '--profile';
const script = join(import.meta.dirname, profiling ? 'profile.ts' : 'main.ts');
if (first !== '--help') setUp();
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', script, ...(profiling ? rest : process.argv.slice(2))],
  {
    stdio: 'inherit',
  },
);
process.exit(status ?? 1);
