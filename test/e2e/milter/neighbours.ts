/** The Milters that stand before and after ours at a real site, as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../harness/ports.ts';
import { privateDirectory, removeDirectory } from '../../harness/private-directory.ts';
import { run } from '../../harness/process.ts';
import { waitFor } from '../../harness/wait.ts';
import { endOf } from '../../harness/endings.ts';

export interface NeighbourMilter {
  readonly port: number;
  log(): string;
  stop(): Promise<void>;
}

/** Until a program on a slow machine has compiled its tables. */
const startMs = 300_000;

async function start(
  home: string,
  port: number,
  [program, ...args]: readonly [string, ...string[]],
): Promise<NeighbourMilter> {
  const file = join(home, 'log');
  const output = openSync(file, 'a');
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', output, output] });
  closeSync(output);
  const log = (): string => readFileSync(file, 'utf8');
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const milter: NeighbourMilter = {
    port,
    log,
    async stop() {
      process.off('exit', killWithUs);
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000);
        await exited;
        clearTimeout(impatience);
      }
      removeDirectory(home);
    },
  };
  try {
    await waitFor(
      () => {
        if (endOf(child) !== null) throw new Error(`${program} ended with ${endOf(child)}:\n${log()}`);
        return accepts(port);
      },
      { what: `${program} to listen`, bound: startMs, detail: log },
    );
  } catch (error) {
    await milter.stop();
    throw error;
  }
  return milter;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => resolve(true)).once('connect', () => socket.destroy());
  });
}

/** rspamd as a Milter that scans by itself, with no rules of its own; its log says how many bytes it saw of what. */
export async function startRspamd(): Promise<NeighbourMilter> {
  const home = privateDirectory('rspamd');
  const port = await freePort();
  // The list of all top-level domains takes minutes to compile on a busy machine.
  writeFileSync(join(home, 'tlds'), 'com\nnet\norg\n');
  writeFileSync(
    join(home, 'rspamd.conf'),
    `options {
  pidfile = "${home}/pid"; filters = ""; url_tld = "${home}/tlds"; hs_cache_dir = "${home}"; tempdir = "${home}";
  dns { timeout = 0.1s; nameserver = ["127.0.0.1:9"]; }
}
logging { type = "console"; level = "info"; log_format = "scanned $len bytes of <$mid>"; }
worker "rspamd_proxy" {
  bind_socket = "127.0.0.1:${port}"; milter = yes; timeout = 120s; count = 1;
  upstream "local" { default = yes; self_scan = yes; }
}
actions { reject = 1000; add_header = 900; greylist = 800; }
`,
  );
  return start(home, port, ['rspamd', '-f', '-i', '-c', join(home, 'rspamd.conf')]);
}

export interface Signer extends NeighbourMilter {
  /** Of `s1._domainkey.example.com`. */
  readonly record: string;
}

/** OpenDKIM, signing for example.com what this machine sends. */
export async function startOpenDkim(): Promise<Signer> {
  const home = privateDirectory('opendkim');
  const port = await freePort();
  const key = await run('openssl', ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']);
  const publicKey = await run('openssl', ['pkey', '-pubout'], { input: key });
  writeFileSync(join(home, 'key'), key, { mode: 0o600 });
  const settings = {
    Socket: `inet:${port}@127.0.0.1`,
    Mode: 's',
    Domain: 'example.com',
    Selector: 's1',
    KeyFile: join(home, 'key'),
    // The key lies below a temporary folder.
    RequireSafeKeys: 'no',
    // The strictest: a byte more or less anywhere, and the signature is broken.
    Canonicalization: 'simple/simple',
    Background: 'no',
    Syslog: 'no',
    OversignHeaders: 'From',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`);
  writeFileSync(join(home, 'opendkim.conf'), lines.join(''));
  const milter = await start(home, port, ['opendkim', '-f', '-x', join(home, 'opendkim.conf')]);
  return { ...milter, record: `v=DKIM1; k=rsa; p=${publicKey.replace(/-----[^-]+-----|\s/g, '')}` };
}
