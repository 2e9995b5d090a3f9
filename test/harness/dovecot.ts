import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImapFlow } from 'imapflow';
import { freePort } from './ports.ts';
import { privateDirectory, removeDirectory } from './private-directory.ts';
import { isAlive, runDaemon, terminate } from './process.ts';
import { systemUser } from './system-user.ts';
import { waitFor } from './wait.ts';

export interface DovecotOptions {
  /** Addresses that may log in; mail is taken for every address. */
  readonly users: readonly string[];
  /** Active Sieve script by address. */
  readonly sieve?: Readonly<Record<string, string>>;
  /** Where Sieve's redirects and vacation replies go. */
  readonly submissionPort?: number;
  readonly lmtpPort?: number;
  readonly imapPort?: number;
  /** Where the instance lives; a private temporary directory if not given. Kept on stop when given. */
  readonly home?: string;
  /** Of every user; `dovecotPassword` if not given. */
  readonly password?: string;
  /** More lines for instance.conf. */
  readonly config?: string;
}

/** The usual password of every user: these servers listen on loopback and hold test mail. */
export const dovecotPassword = 'detach';

export interface DovecotPorts {
  readonly lmtp: number;
  readonly imap: number;
}

/** A separate Dovecot, from the repository's `dovecot/`, with mailboxes in a private directory. */
export class DovecotInstance {
  readonly home: string;
  readonly lmtpPort: number;
  readonly imapPort: number;
  readonly #keep: boolean;
  readonly #password: string;

  /** An instance that already runs. With `keep`, `stop` does not delete its files. */
  constructor(home: string, ports: DovecotPorts, { keep = true, password = dovecotPassword } = {}) {
    this.home = home;
    this.lmtpPort = ports.lmtp;
    this.imapPort = ports.imap;
    this.#keep = keep;
    this.#password = password;
  }

  get logFile(): string {
    return join(this.home, 'log');
  }

  log(): string {
    return readFileSync(this.logFile, { encoding: 'utf8', flag: 'a+' });
  }

  /** Messages in a user's INBOX, without asking the server. */
  count(user: string): number {
    return ['new', 'cur'].reduce((sum, folder) => sum + filesIn(join(this.maildir(user), folder)).length, 0);
  }

  /** Bytes that a user's messages take on disk. */
  maildir(user: string): string {
    const [name = '', domain = ''] = user.split('@');
    return join(this.home, 'mail', domain, name, 'Maildir');
  }

  /** Every message of the INBOX through IMAP, oldest first, byte for byte with CRLF. */
  async fetch(user: string): Promise<Buffer[]> {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: this.imapPort,
      secure: false,
      doSTARTTLS: false,
      auth: { user, pass: this.#password },
      logger: false,
    });
    await client.connect();
    try {
      const { exists } = await client.mailboxOpen('INBOX', { readOnly: true });
      if (exists === 0) return [];
      const messages: Buffer[] = [];
      for await (const { source } of client.fetch('1:*', { source: true })) if (source) messages.push(source);
      return messages;
    } finally {
      await client.logout();
    }
  }

  /** Waits until the INBOX holds `count` messages, and returns them all. */
  async waitForMail(user: string, count = 1): Promise<Buffer[]> {
    await waitFor(() => this.count(user) >= count, {
      what: `${count} message(s) for ${user}, there are ${this.count(user)}`,
      detail: () => this.log().slice(-2000),
    });
    return this.fetch(user);
  }

  /** Of the master process, which leads the process group of all the others; undefined when it does not run. */
  get pid(): number | undefined {
    try {
      const pid = Number(readFileSync(join(this.home, 'run/master.pid'), 'utf8'));
      const ours = pid > 1 && isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(this.home);
      return ours ? pid : undefined;
    } catch {
      return undefined;
    }
  }

  async stop(): Promise<void> {
    const { pid } = this;
    // On SIGTERM it would wait seconds for its children. Nothing is lost: its data is on disk.
    if (pid !== undefined) await terminate(-pid, { signal: 'SIGKILL' });
    if (!this.#keep) removeDirectory(this.home);
  }
}

export async function startDovecot(options: DovecotOptions): Promise<DovecotInstance> {
  const home = options.home ?? privateDirectory('dovecot');
  // `mail` exists on every Debian and owns nothing important.
  const owner = systemUser('mail');
  for (const directory of ['etc', 'run', 'mail']) mkdirSync(join(home, directory), { recursive: true });
  chownSync(join(home, 'mail'), owner.uid, owner.gid);
  const { password = dovecotPassword } = options;
  const ports = { lmtp: options.lmtpPort ?? (await freePort()), imap: options.imapPort ?? (await freePort()) };
  const shipped = readFileSync(join(import.meta.dirname, '../../dovecot/dovecot.conf'), 'utf8');
  // A second passdb cannot replace the first one, so instance.conf cannot set this path.
  writeFileSync(join(home, 'etc/dovecot.conf'), shipped.replace('/etc/dovecot/users', join(home, 'etc/users')));
  writeLogins(join(home, 'etc/users'), options.users, password);
  writeFileSync(join(home, 'etc/instance.conf'), instanceSettings(home, ports, options));
  const instance = new DovecotInstance(home, ports, {
    keep: options.home !== undefined,
    password,
  });
  for (const [user, script] of Object.entries(options.sieve ?? {})) writeSieve(instance, user, script, owner);
  // Dovecot takes any process with the number in its pid file for itself, even a zombie.
  if (instance.pid === undefined) rmSync(join(home, 'run/master.pid'), { force: true });
  try {
    await runDaemon('dovecot', ['-c', join(home, 'etc/dovecot.conf')], join(home, 'start'));
    // Its pid file comes a moment later; without it `stop` would end nothing.
    await waitFor(() => instance.pid !== undefined, { what: 'the pid file of Dovecot' });
  } catch (error) {
    throw new Error(`Dovecot did not start: ${String(error)}\n${instance.log()}`, { cause: error });
  }
  return instance;
}

/** Readable by Dovecot's own users only. */
function writeLogins(file: string, users: readonly string[], password: string): void {
  writeFileSync(file, users.map((user) => `${user}:{PLAIN}${password}\n`).join(''), { mode: 0o640 });
  chownSync(file, 0, systemUser('dovecot').gid);
}

function instanceSettings(
  home: string,
  ports: { readonly lmtp: number; readonly imap: number },
  options: DovecotOptions,
): string {
  const submission =
    options.submissionPort === undefined ? '' : `submission_host = 127.0.0.1:${options.submissionPort}`;
  return `base_dir = ${home}/run
state_dir = ${home}/run
instance_name = ${home}
log_path = ${home}/log
info_log_path = ${home}/log
mail_home = ${home}/mail/%d/%n
mail_uid = mail
mail_gid = mail
postmaster_address = postmaster@example.com
hostname = dovecot.example.net
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${ports.lmtp}
  }
}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = ${ports.imap}
  }
}
${submission}
${options.config ?? ''}
`;
}

function writeSieve(
  instance: DovecotInstance,
  user: string,
  script: string,
  owner: ReturnType<typeof systemUser>,
): void {
  const folder = join(instance.maildir(user), '..');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, '.dovecot.sieve');
  writeFileSync(file, script);
  for (const path of [join(folder, '..'), folder, file]) chownSync(path, owner.uid, owner.gid);
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
