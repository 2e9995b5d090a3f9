import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ForegroundProgram, startForeground } from './foreground.ts';
import { freePort } from './ports.ts';
import { privateDirectory, removeDirectory } from './private-directory.ts';

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
  readonly #program: ForegroundProgram;

  constructor(port: number, directory: string, program: ForegroundProgram) {
    this.port = port;
    this.#directory = directory;
    this.#program = program;
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    removeDirectory(this.#directory);
  }
}

export async function startHaproxy(options: HaproxyOptions): Promise<Haproxy> {
  const port = options.port ?? (await freePort());
  const directory = privateDirectory('haproxy');
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(file, configuration(port, options));
  const program = await startForeground('haproxy', { args: ['-db', '-f', file], port, signal: 'SIGKILL' });
  return new Haproxy(port, directory, program);
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
