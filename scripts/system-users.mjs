// The system users that the lab's servers run as, where Debian's packages bring none.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The webmail: it owns its own data and nothing else, and nobody can log in as it. */
const users = ['detach-webmail'];

export function makeSystemUsers() {
  const known = readFileSync('/etc/passwd', 'utf8');
  for (const name of users.filter((each) => !known.includes(`\n${each}:`))) {
    const home = ['--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin'];
    const { status, stderr } = spawnSync('useradd', ['--system', '--user-group', ...home, name], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`useradd ${name} failed: ${stderr}`);
  }
}
