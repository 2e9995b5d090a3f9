// What the benchmark needs beyond what lab and tests need: MIMEDefang, and Haraka with its own npm packages, which are
// kept in a separate folder.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setup } from '../scripts/setup.mjs';

const haraka = join(import.meta.dirname, 'peers/haraka');

// Debian's mimedefang does not declare that it needs libnet-dns-perl; without it, it answers 451 to every mail.
const packages = ['mimedefang', 'libnet-dns-perl'];

/** Does only what is missing. */
export function setUp() {
  setup();
  const missing = packages.filter((name) => !isInstalled(name));
  if (missing.length > 0) install(missing);
  if (!existsSync(join(haraka, 'node_modules/Haraka'))) run('npm', ['ci', '--loglevel=error'], { cwd: haraka });
}

function isInstalled(name) {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], { encoding: 'utf8' });
  return stdout === 'installed';
}

/** Debian starts the services that it installs unless a policy forbids it. Only our own instances may run. */
function install(names) {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update', '-qq'], { env });
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], { env });
  } finally {
    if (ours) rmSync(policy);
  }
}

function run(program, args, options) {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 2, 2], ...options });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
}
