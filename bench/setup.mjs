// Everything the benchmark needs: Debian packages, this checkout's own npm packages and build, and Haraka's, which
// are kept apart.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const haraka = join(import.meta.dirname, 'peers/haraka');

// Debian's mimedefang forgets that it needs libnet-dns-perl, and then answers 451 to every mail.
const packages = ['postfix', 'dovecot-core', 'dovecot-imapd', 'dovecot-lmtpd', 'mimedefang', 'libnet-dns-perl'];

/** Quick when all is there already; the build is always made anew, so that what is measured is this checkout. */
export function setUp() {
  const missing = packages.filter((name) => !isInstalled(name));
  if (missing.length > 0) installQuietly(missing);
  if (!existsSync(join(root, 'node_modules/tsx'))) run('npm', ['ci'], root);
  if (!existsSync(join(haraka, 'node_modules/Haraka'))) run('npm', ['ci'], haraka);
  run('npm', ['run', '--silent', 'build'], root);
}

function isInstalled(name) {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], { encoding: 'utf8' });
  return stdout === 'installed';
}

/** Debian starts what it installs, unless a policy forbids it: nothing but our own instances may run. */
function installQuietly(names) {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update', '-qq'], root, env);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], root, env);
  } finally {
    if (ours) rmSync(policy);
  }
}

function run(program, args, cwd, env = process.env) {
  const { status, error } = spawnSync(program, args, { cwd, env, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
}
