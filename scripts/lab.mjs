// `npm run lab`: everything that a fresh clone needs, then the lab itself. Ctrl-C goes to the lab, which ends in order.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setupOrExit } from './setup.mjs';

const root = join(import.meta.dirname, '..');

setupOrExit();
const child = spawn(process.execPath, ['--import', 'tsx', 'lab/main.ts', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (status) => process.exit(status ?? 1));
