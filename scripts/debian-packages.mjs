// The Debian packages that lab and tests need, installed where they are missing.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

const packages = [
  'binutils',
  'ca-certificates',
  'chromium',
  'dovecot-core',
  'dovecot-imapd',
  'dovecot-lmtpd',
  'dovecot-sieve',
  'e2fsprogs',
  'eatmydata',
  'libfaketime',
  'golang-github-jhillyerd-enmime-dev',
  'haproxy',
  'iproute2',
  'iptables',
  'libarchive-tools',
  'libpython3.11-testsuite',
  'lintian',
  'miltertest',
  'mmdebstrap',
  'nginx-light',
  'opendkim',
  'openssl',
  'p7zip-full',
  'php-cli',
  'postfix',
  'procps',
  'prometheus',
  'python3',
  'python3-flufl.bounce',
  'roundcube-core',
  'roundcube-sqlite3',
  'rspamd',
  'rsync',
  'swaks',
  'systemd-container',
  'unzip',
  'vagrant',
];

const policy = '/usr/sbin/policy-rc.d';

export function installPackages() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new Error(`these Debian packages are missing, and only root can install them:\n  ${missing.join(' ')}`);
  }
  console.log(`setup: installing ${missing.join(' ')}`);
  withoutStartingServices(() => {
    // Otherwise the package asks what kind of mail server this machine is. Lab and tests start their own servers.
    run('debconf-set-selections', [], { input: 'postfix postfix/main_mailer_type select No configuration\n' });
    const apt = ['-o', 'DPkg::Lock::Timeout=600', '-o', 'Acquire::Retries=3', '-qq'];
    run('apt-get', [...apt, 'update']);
    run('apt-get', [...apt, 'install', '-y', '--no-install-recommends', ...missing]);
  });
}

function missingPackages() {
  const query = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status} ${Package}\n', ...packages], {
    encoding: 'utf8',
  });
  if (query.error) throw new Error(`this needs Debian 12 or a system like it, with dpkg: ${query.error.message}`);
  return notInstalled(packages, query.stdout);
}

/**
 * @param {readonly string[]} names
 * @param {string} answer of dpkg-query(1): a line `STATUS NAME` for each package that dpkg knows, `not-installed` ones too
 */
export function notInstalled(names, answer) {
  const lines = new Set(answer.split('\n'));
  return names.filter((name) => !lines.has(`installed ${name}`));
}

/** A package that brings a server would start it: Postfix on port 25, Dovecot on 143. */
function withoutStartingServices(section) {
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    section();
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function run(program, args, { input } = {}) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    input,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${error?.message ?? ''}\n${stdout}${stderr}`);
}
