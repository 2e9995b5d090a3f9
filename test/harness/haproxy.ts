import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { privateDirectory, removeDirectory } from './private-directory.ts';
import { waitFor } from './wait.ts';

export interface HaproxyOptions {
  /** Ports on 127.0.0.1. Connections go to them in turn. */
  readonly backends: readonly number[];
  /** Announce the client's address with the PROXY protocol, version 1 or 2. */
  readonly proxyProtocol?: 1 | 2;
  /** Check each backend every 100 ms, and skip those that accept no connections. */
  readonly check?: boolean;
  readonly port?: number;
}

/** A real HAProxy in TCP mode, as used in front of several filters. */
export class Haproxy {
  readonly port: number;
  readonly #directory: string;
  readonly #child: ChildProcess;

  constructor(port: number, directory: string, child: ChildProcess) {
    this.port = port;
    this.#directory = directory;
    this.#child = child;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
    removeDirectory(this.#directory);
  }
}

export async function startHaproxy(options: HaproxyOptions): Promise<Haproxy> {
  const port = options.port ?? (await freePort());
  const directory = privateDirectory('haproxy');
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(file, configuration(port, options));
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  await waitFor(
    () => {
      if (child.exitCode !== null) throw new Error(`haproxy ended with ${child.exitCode}:\n${errors}`);
      return accepts(port);
    },
    { what: 'haproxy', detail: () => errors },
  );
  return new Haproxy(port, directory, child);
}

function configuration(port: number, { backends, proxyProtocol, check }: HaproxyOptions): string {
  const suffix = `${proxyProtocol === undefined ? '' : ` send-proxy${proxyProtocol === 2 ? '-v2' : ''}`}${check ? ' check inter 100ms' : ''}`;
  // With several threads, each one would do its own round robin.
  return `global
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 10m
  timeout server 10m
  retries 2
  option redispatch
listen filters
  bind 127.0.0.1:${port}
  balance roundrobin
${backends.map((backend, index) => `  server f${index} 127.0.0.1:${backend}${suffix}\n`).join('')}`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
