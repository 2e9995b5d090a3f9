import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { privateDirectory, removeDirectory } from './private-directory.ts';
import { waitFor } from './wait.ts';

export interface NginxOptions {
  readonly port: number;
  /** What stands inside `http { … }`; `DIRECTORY` in it becomes a folder of this instance. */
  readonly http: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A real nginx, in the foreground; all its files are in its own folder. */
export class Nginx {
  readonly port: number;
  readonly directory: string;
  readonly #child: ChildProcess;

  constructor(port: number, directory: string, child: ChildProcess) {
    this.port = port;
    this.directory = directory;
    this.#child = child;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await exited;
    }
    removeDirectory(this.directory);
  }
}

export async function startNginx({ port, http, env = {} }: NginxOptions): Promise<Nginx> {
  const directory = privateDirectory('nginx');
  mkdirSync(join(directory, 'temp'));
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, configuration(directory, http, Object.keys(env)));
  const child = spawn('/usr/sbin/nginx', ['-p', directory, '-e', join(directory, 'error.log'), '-c', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const killWithUs = (): void => void child.kill('SIGTERM');
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  await waitFor(
    () => {
      if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}:\n${errors}`);
      return accepts(port);
    },
    { what: 'nginx', detail: () => errors },
  );
  return new Nginx(port, directory, child);
}

function configuration(directory: string, http: string, variables: readonly string[]): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  // The user of the tests owns the folder. nginx drops all environment variables except those named here.
  return `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${directory}/nginx.pid;
${variables.map((name) => `env ${name};`).join('\n')}
events {}
http {
${temporary.map((kind) => `${kind}_temp_path ${directory}/temp/${kind};`).join('\n')}
${http.replaceAll('DIRECTORY', directory)}
}
`;
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
