/**
 * The processes that serve one configuration: `workers` mail processes and one for pages. A reload starts another
 * generation; the one before finishes what is under way and ends. A process that is lost is replaced.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import type { Log } from '../observe/interface.ts';
import type { Listening } from './listeners.ts';
import { Liveness } from './liveness.ts';
import type { Role } from './messages.ts';
import type { End, ServiceProcess } from './service-process.ts';

export interface Sockets {
  readonly inbound: Listening;
  readonly links: Listening;
}

export interface GenerationOptions {
  readonly config: Config;
  readonly sockets: Sockets;
  readonly log: Log;
  readonly spawn: (role: Role, generation: Pick<GenerationOptions, 'config' | 'sockets'>) => ServiceProcess;
}

/** Pause before a lost process is replaced: one that ends at its start would end again at once. */
const replaceAfterMs = 1000;

/**
 * How many times a process is started. A signal to the whole process group also ends a process that has just been
 * started and does not ignore signals yet.
 */
const startAttempts = 3;

/** How long a process may live after it was told to cut what is under way. One that does not end by then is killed. */
const killAfterMs = 5000;

export class Generation {
  readonly config: Config;
  readonly sockets: Sockets;
  readonly #options: GenerationOptions;
  readonly #processes = new Set<ServiceProcess>();
  readonly #closing = new AbortController();
  readonly #liveness: Liveness;
  #order: { readonly until: number; readonly gently: boolean } | undefined;
  #killing: NodeJS.Timeout | undefined;
  #empty: () => void = () => undefined;
  /** Settles when it was told to stop and its last process has ended. */
  readonly ended: Promise<void>;

  constructor(options: GenerationOptions) {
    this.config = options.config;
    this.sockets = options.sockets;
    this.#options = options;
    this.#liveness = new Liveness(() => this.processes, options.log);
    this.ended = new Promise((resolve) => (this.#empty = resolve));
  }

  get processes(): readonly ServiceProcess[] {
    return [...this.#processes];
  }

  /** Resolves when all serve, with the names of what they could not reach. @throws StartError */
  async start(): Promise<readonly string[]> {
    const roles: readonly Role[] = [...Array.from({ length: this.config.workers }, () => 'mail' as const), 'links'];
    const notReady = await Promise.all(roles.map((role) => this.#startOne(role)));
    return [...new Set(notReady.flat())];
  }

  /** Ends all processes: what is under way is cut after `withinMs`. A second call can only make it faster. */
  stop({ withinMs, gently }: { readonly withinMs: number; readonly gently: boolean }): void {
    const until = Math.min(this.#order?.until ?? Infinity, performance.now() + withinMs);
    this.#order = { until, gently: gently && (this.#order?.gently ?? true) };
    this.#closing.abort();
    for (const each of this.#processes) this.#stopOne(each);
    clearTimeout(this.#killing);
    this.#killing = setTimeout(() => this.kill(), Math.max(0, until - performance.now()) + killAfterMs);
    this.#checkEmpty();
  }

  /** Ends processes that do not answer, also those stopped by a debugger or SIGSTOP. */
  kill(): void {
    if (this.#processes.size === 0) return;
    this.#options.log.warn('workers-killed', { processes: this.processes.map(({ name }) => name) });
    for (const each of this.#processes) each.kill();
  }

  #stopOne(process: ServiceProcess): void {
    if (!this.#order) return;
    const { until, gently } = this.#order;
    process.stop({ withinMs: Math.max(0, until - performance.now()), gently });
  }

  async #startOne(role: Role, attempt = 1): Promise<readonly string[]> {
    const process = this.#spawn(role);
    try {
      const notReady = await process.started;
      void process.ended.then((end) => this.#lost(process, end));
      return notReady;
    } catch (error) {
      const { signal } = await process.ended;
      if (signal === null || attempt === startAttempts || this.#closing.signal.aborted) throw error;
      return this.#startOne(role, attempt + 1);
    }
  }

  #spawn(role: Role): ServiceProcess {
    const process = this.#options.spawn(role, this);
    this.#processes.add(process);
    void process.ended.then(() => {
      this.#processes.delete(process);
      this.#checkEmpty();
    });
    this.#stopOne(process);
    return process;
  }

  #lost(process: ServiceProcess, { status, signal }: End): void {
    if (this.#closing.signal.aborted) return;
    this.#options.log.error('worker-lost', { process: process.name, pid: process.pid, status, signal });
    void this.#replace(process.role);
  }

  async #replace(role: Role): Promise<void> {
    const { signal } = this.#closing;
    while (!this.#isClosing()) {
      try {
        await delay(replaceAfterMs, undefined, { signal });
        await this.#startOne(role);
        return;
      } catch (error) {
        if (!this.#isClosing()) this.#options.log.error('worker-not-replaced', { err: error });
      }
    }
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  #checkEmpty(): void {
    if (!this.#closing.signal.aborted || this.#processes.size > 0) return;
    clearTimeout(this.#killing);
    this.#liveness.end();
    this.#empty();
  }
}
