import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ForegroundProgram, startForeground } from '../../test/harness/foreground.ts';
import { run } from '../../test/harness/process.ts';
import { systemUser } from '../../test/harness/system-user.ts';

export interface WebmailOptions {
  readonly home: string;
  /** On 127.0.0.1, as the other two. */
  readonly port: number;
  readonly imapsPort: number;
  /** With STARTTLS. */
  readonly submissionPort: number;
  /** The certificate that both servers' certificates must come from. */
  readonly authority: string;
  /** 24 characters: encrypts the passwords in sessions. */
  readonly key: string;
  /** Names by address. */
  readonly people: Readonly<Record<string, string>>;
}

/** Made by the set-up; owns nothing but the webmail's data. */
const userName = 'detach-webmail';
const debian = '/etc/roundcube';
const publicFiles = '/var/lib/roundcube/public_html';
const schema = '/usr/share/roundcube/SQL/sqlite.initial.sql';

/** Above what Postfix A takes, so that Postfix is the one that refuses. */
const limits = ['upload_max_filesize=100M', 'post_max_size=110M', 'memory_limit=512M', 'expose_php=0'];

/** Debian's Roundcube with a configuration and a database of its own, served by PHP as a user of its own. */
export async function startWebmail(options: WebmailOptions): Promise<ForegroundProgram> {
  const { home, port, people } = options;
  const user = systemUser(userName);
  const data = join(home, 'data');
  for (const folder of [home, join(home, 'config'), data, join(data, 'temp'), join(data, 'logs')]) {
    mkdirSync(folder, { recursive: true });
    if (folder.startsWith(data)) {
      chownSync(folder, user.uid, user.gid);
      chmodSync(folder, 0o700);
    }
  }
  writeConfiguration(options, data, user.gid);
  await run('php', [file('create.php'), join(data, 'roundcube.sqlite'), schema, '127.0.0.1'], {
    input: JSON.stringify(people),
    user,
  });
  const settings = [...limits, `session.save_path=${join(data, 'temp')}`].flatMap((limit) => ['-d', limit]);
  return startForeground('php', {
    args: [...settings, '-S', `127.0.0.1:${port}`, '-t', publicFiles, file('router.php')],
    env: { ROUNDCUBE_CONFIG_DIR: `${join(home, 'config')}/`, PHP_CLI_SERVER_WORKERS: '3', TMPDIR: join(data, 'temp') },
    port,
    signal: 'SIGTERM',
    user,
    forks: true,
    log: join(home, 'log'),
  });
}

function writeConfiguration(options: WebmailOptions, data: string, gid: number): void {
  const folder = join(options.home, 'config');
  copyFileSync(file('config.inc.php'), join(folder, 'config.inc.php'));
  for (const name of ['defaults.inc.php', 'mimetypes.php']) {
    if (!existsSync(join(folder, name))) symlinkSync(join(debian, name), join(folder, name));
  }
  const { imapsPort, submissionPort, authority, key } = options;
  const values = {
    data,
    authority,
    key,
    imap: `ssl://127.0.0.1:${imapsPort}`,
    peer: 'localhost',
    smtp: `tls://127.0.0.1:${submissionPort}`,
    login: true,
  };
  const path = join(folder, 'lab.json');
  writeFileSync(path, JSON.stringify(values), { mode: 0o640 });
  chownSync(path, 0, gid);
}

const file = (name: string): string => join(import.meta.dirname, name);
