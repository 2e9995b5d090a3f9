import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endOf } from './endings.ts';

export interface AzuriteOptions {
  /** A free one when none is given. */
  readonly port?: number;
  /** Where the data lies. None: a new temporary folder, removed by `stop`. */
  readonly directory?: string;
  /** Keeps nothing on disk: faster, but `down` loses all data. */
  readonly inMemory?: boolean;
  /** Further command line arguments, as in `['--oauth', 'basic', '--cert', …]`. */
  readonly args?: readonly string[];
  /** Changes to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** How to reach it when `args` turn TLS on. */
  readonly protocol?: 'http' | 'https';
}

/** The account that every Azurite has: published by Microsoft, no secret. */
const account = 'devstoreaccount1';
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const program = path.join(
  path.dirname(createRequire(import.meta.url).resolve('azurite/package.json')),
  'dist/src/blob/main.js',
);

/** Starts the blob service of Azurite as a process and waits until it accepts connections. */
export async function startAzurite(options: AzuriteOptions = {}): Promise<Azurite> {
  const azurite = new Azurite(options, options.port ?? (await freePort()));
  await azurite.up();
  return azurite;
}

export class Azurite {
  readonly port: number;
  /** Of the account, without a slash at the end. */
  readonly url: string;
  readonly connectionString: string;
  readonly directory: string;
  readonly #args: string[];
  readonly #env: Readonly<Record<string, string>>;
  readonly #temporary: boolean;
  #child: ChildProcess | undefined;

  constructor(options: AzuriteOptions, port: number) {
    this.port = port;
    this.#env = { ...options.env };
    const protocol = options.protocol ?? 'http';
    this.url = `${protocol}://127.0.0.1:${port}/${account}`;
    this.connectionString = `DefaultEndpointsProtocol=${protocol};AccountName=${account};AccountKey=${accountKey};BlobEndpoint=${this.url};`;
    this.#temporary = options.directory === undefined;
    this.directory = options.directory ?? mkdtempSync(path.join(tmpdir(), 'azurite-'));
    mkdirSync(this.directory, { recursive: true });
    this.#args = [program, '--blobHost', '127.0.0.1', '--blobPort', String(port)];
    this.#args.push('--skipApiVersionCheck', '--silent', '--disableTelemetry');
    // Azurite's command line does not accept both.
    this.#args.push(...(options.inMemory ? ['--inMemoryPersistence'] : ['--location', this.directory]));
    this.#args.push(...(options.args ?? []));
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it, or starts it again after `down` or `kill` on the same port with the same data. */
  async up(): Promise<void> {
    if (this.#child) return;
    const child = spawn(process.execPath, this.#args, {
      cwd: this.directory,
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const killWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', () => {
      process.off('exit', killWithUs);
      if (this.#child === child) this.#child = undefined;
    });
    this.#child = child;
    for (let tries = 0; !(await accepts(this.port)); tries++) {
      if (endOf(child) !== null || tries === 600) {
        await this.kill();
        throw new Error(`azurite did not start on port ${this.port}: ${errors}`);
      }
      await delay(50);
    }
  }

  /** Ends the process; the data stays for `up`. */
  async down(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** As `down`, but without time to write its index. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** It accepts connections but answers nothing, until `thaw`. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Ends the process and removes the data, unless the directory was given by the caller. */
  async stop(): Promise<void> {
    await this.#end(this.#temporary ? 'SIGKILL' : 'SIGTERM');
    if (this.#temporary) rmSync(this.directory, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    // Azurite waits for the connections of clients that keep theirs open.
    const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(impatience);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
