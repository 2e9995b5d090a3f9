import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes as freshBytes } from 'node:crypto';
import { stringify } from 'yaml';
import { JsonLog, type LogEvent } from './json-log.ts';
import { freePort } from './ports.ts';
import { privateDirectory, removeDirectory } from './private-directory.ts';
import { waitFor } from './wait.ts';
import { endOf } from './endings.ts';

/** A configuration file as nested keys, which replace the same keys of the default one. */
export interface ConfigTree {
  readonly [key: string]: string | number | boolean | readonly string[] | ConfigTree;
}

export interface DetachOptions {
  /** A port on 127.0.0.1, or addresses as in `outbound.nextHop`. */
  readonly nextHop: number | readonly string[];
  /** Azurite's connection string, or the path of a directory. */
  readonly storage: string;
  readonly config?: ConfigTree;
  readonly env?: Readonly<Record<string, string>>;
  /** Options for Node itself, before the program's name. */
  readonly nodeOptions?: readonly string[];
  /** Where the instance lives; a private temporary directory if not given. Kept on stop when given. */
  readonly home?: string;
}

/** Of proc(5); the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

const entry = join(import.meta.dirname, '../../dist/main.js');

/** Detach MTA as a process of its own, with a configuration file, fresh keys and free ports. */
export class DetachInstance {
  readonly home: string;
  readonly port: number;
  readonly linksPort: number;
  readonly metricsPort: number;
  readonly config: ConfigTree;
  readonly #options: DetachOptions;
  readonly #log = new JsonLog();
  #child: ChildProcess | undefined;
  #errors = '';

  constructor(options: DetachOptions, home: string, config: ConfigTree, ports: readonly [number, number, number]) {
    this.#options = options;
    this.home = home;
    this.config = config;
    [this.port, this.linksPort, this.metricsPort] = ports;
    mkdirSync(home, { recursive: true });
    writeFileSync(this.configFile, stringify(config), { mode: 0o600 });
  }

  get configFile(): string {
    return join(this.home, 'detach-mta.yaml');
  }

  get logFile(): string {
    return join(this.home, 'detach-mta.log');
  }

  /** The supervisor. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The processes that the supervisor has started, of that role; mail processes unless told otherwise. */
  processes(role: 'mail' | 'link' = 'mail'): readonly number[] {
    return childrenOf(this.#child?.pid).filter((pid) => commandLine(pid).includes(`/${role}-process.`));
  }

  /** Everything logged so far, restarts included, oldest first. */
  get events(): readonly LogEvent[] {
    return this.#log.events;
  }

  /** What was written to standard error: nothing, unless something is wrong. */
  get errors(): string {
    return this.#errors;
  }

  /** The first event of that name for which `condition` holds, past or to come. `since`: events to skip. */
  waitForEvent(
    name: string,
    condition: (event: LogEvent) => boolean = () => true,
    { since = 0 }: { readonly since?: number } = {},
  ): Promise<LogEvent> {
    return waitFor(() => this.events.slice(since).find((each) => each.event === name && condition(each)), {
      what: `"${name}" in the log of Detach MTA`,
      detail: () => this.describe(),
    });
  }

  /** The end of its log and standard error, for the message of a failed test. */
  describe(): string {
    const last = this.events.slice(-15).map((event) => JSON.stringify(event));
    return [...last, this.#errors].join('\n');
  }

  /** Starts it, again after `kill` or `terminate`, and waits until it accepts mail. */
  async start(): Promise<void> {
    const since = this.events.length;
    const child = this.launch();
    await waitFor(
      () => {
        if (endOf(child) !== null) throw new Error(`Detach MTA ended with ${endOf(child)}:\n${this.describe()}`);
        return this.events.slice(since).some(({ event }) => event === 'ready');
      },
      { what: 'Detach MTA to be ready', detail: () => this.describe() },
    );
  }

  /** Starts it without waiting. */
  launch(): ChildProcess {
    if (!existsSync(entry)) throw new Error(`${entry} is missing: run \`npm run build\``);
    const child = spawn(
      process.execPath,
      [...(this.#options.nodeOptions ?? []), entry, 'serve', '--config', this.configFile],
      { cwd: this.home, env: { ...process.env, ...this.#options.env }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const killWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', () => {
      process.off('exit', killWithUs);
      if (this.#child === child) this.#child = undefined;
    });
    this.#log.follow(child.stdout, this.logFile);
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.#child = child;
    return child;
  }

  /** Changes keys of the configuration file. They take effect after a reload. */
  configure(over: ConfigTree): void {
    writeFileSync(this.configFile, stringify(mergeConfig(this.config, over)), { mode: 0o600 });
  }

  /** SIGHUP, and waits for the new processes to serve. */
  async reload(over: ConfigTree = {}): Promise<LogEvent> {
    this.configure(over);
    const since = this.events.length;
    this.signal('SIGHUP');
    return this.waitForEvent('reloaded', undefined, { since });
  }

  /** Sends a signal to the supervisor. */
  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /**
   * Sends a signal and waits for the end; the files stay for `start`. SIGKILL goes to all processes, as when a machine
   * fails: none of them does anything more. @returns exit status, or the signal's name
   */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | NodeJS.Signals | null> {
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return null;
    const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    if (signal === 'SIGKILL') this.#signalChildren(signal);
    child.kill(signal);
    const [status, by] = await exited;
    return status ?? by;
  }

  /** Ends it as asked and starts it again on the same ports. */
  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.kill(signal);
    await this.start();
  }

  /** It accepts connections but does nothing, until `resume`. */
  pause(): void {
    this.#signalChildren('SIGSTOP');
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
    this.#signalChildren('SIGCONT');
  }

  #signalChildren(signal: NodeJS.Signals): void {
    for (const pid of childrenOf(this.#child?.pid)) {
      try {
        process.kill(pid, signal);
      } catch {
        // The process has ended meanwhile.
      }
    }
  }

  /** Bytes of memory of the mail process now, and at most since its start. Of several, the sum. */
  memory(): { readonly now: number; readonly peak: number } {
    const all = this.processes().map((pid) => readFileSync(`/proc/${pid}/status`, 'utf8'));
    const sum = (name: string): number =>
      all.reduce((total, text) => total + Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024, 0);
    return { now: sum('VmRSS'), peak: sum('VmHWM') };
  }

  /** Seconds of processor time that the mail processes have taken since their start, all threads. */
  cpuSeconds(): number {
    return this.processes()
      .map((pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' '))
      .reduce((total, fields) => total + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond, 0);
  }

  /** Bytes of memory of all processes of the service; shared memory counts once (PSS of proc(5)). */
  sharedMemory(): number {
    const pids = [this.#child?.pid ?? 0, ...childrenOf(this.#child?.pid)];
    return pids
      .map((pid) => Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) * 1024)
      .reduce((total, each) => total + each, 0);
  }

  /** Resets the peak, so that the next `memory()` gives the peak from now on. */
  resetPeakMemory(): void {
    for (const pid of this.processes()) writeFileSync(`/proc/${pid}/clear_refs`, '5');
  }

  /** The answer of the metrics port, as in `/metrics` or `/readyz`. */
  async metrics(path = '/metrics'): Promise<{ readonly status: number; readonly text: string }> {
    const answer = await fetch(`http://127.0.0.1:${this.metricsPort}${path}`);
    return { status: answer.status, text: await answer.text() };
  }

  async stop(): Promise<void> {
    this.resume();
    await this.kill('SIGKILL');
    if (this.#options.home === undefined) removeDirectory(this.home);
  }
}

/** Starts Detach MTA with a minimum size of 100 KiB and everything else as it is by default. */
export async function startDetach(options: DetachOptions): Promise<DetachInstance> {
  const instance = await prepareDetach(options);
  await instance.start();
  return instance;
}

/** As `startDetach`, but does not start it. Its ports are known, so that circles can be built. */
export async function prepareDetach(options: DetachOptions): Promise<DetachInstance> {
  const home = options.home ?? privateDirectory('detach');
  const [port, linksPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const { nextHop } = options;
  const defaults: ConfigTree = {
    hostname: 'detach.example.net',
    inbound: { port },
    outbound: { nextHop: typeof nextHop === 'number' ? [`127.0.0.1:${nextHop}`] : nextHop },
    detach: { minSize: 102_400 },
    spool: { directory: join(home, 'spool') },
    loopguard: { cluster: 'test', keys: [`k1:${freshBytes(32).toString('base64')}`] },
    storage: options.storage.startsWith('/')
      ? { directory: options.storage, reserve: 0 }
      : { connectionString: options.storage },
    links: {
      baseUrl: `http://127.0.0.1:${linksPort}`,
      address: '127.0.0.1',
      port: linksPort,
      secret: freshBytes(32).toString('base64'),
    },
    metrics: { port: metricsPort },
  };
  const config = mergeConfig(defaults, options.config ?? {});
  const chosen = (room: string, usual: number): number => {
    const keys = config[room];
    return isTree(keys) && typeof keys['port'] === 'number' ? keys['port'] : usual;
  };
  return new DetachInstance(options, home, config, [
    chosen('inbound', port),
    chosen('links', linksPort),
    chosen('metrics', metricsPort),
  ]);
}

function childrenOf(pid: number | undefined): readonly number[] {
  if (pid === undefined) return [];
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return children.trim().split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Keys of `over` in the place of the same keys of `base`, group by group. */
export function mergeConfig(base: ConfigTree, over: ConfigTree): ConfigTree {
  const merged: Record<string, ConfigTree[string]> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isTree(below) && isTree(value) ? mergeConfig(below, value) : value;
  }
  return merged;
}

function isTree(value: ConfigTree[string] | undefined): value is ConfigTree {
  return typeof value === 'object' && !Array.isArray(value);
}
