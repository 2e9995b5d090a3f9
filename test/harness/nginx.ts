import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ForegroundProgram, startForeground } from './foreground.ts';
import { privateDirectory, removeDirectory } from './private-directory.ts';

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
  readonly #program: ForegroundProgram;

  constructor(port: number, directory: string, program: ForegroundProgram) {
    this.port = port;
    this.directory = directory;
    this.#program = program;
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    removeDirectory(this.directory);
  }
}

export async function startNginx({ port, http, env = {} }: NginxOptions): Promise<Nginx> {
  const directory = privateDirectory('nginx');
  mkdirSync(join(directory, 'temp'));
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, configuration(directory, http, Object.keys(env)));
  const program = await startForeground('/usr/sbin/nginx', {
    args: ['-p', directory, '-e', join(directory, 'error.log'), '-c', file],
    env,
    port,
    signal: 'SIGTERM',
  });
  return new Nginx(port, directory, program);
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
