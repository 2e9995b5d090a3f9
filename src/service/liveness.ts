/**
 * Finds a process that hangs, or was stopped: each tells its figures every few seconds, so one that says nothing for a
 * minute serves nobody any more. It is killed, and replaced like any that is lost.
 */
import type { Log } from '../observe/interface.ts';
import type { ServiceProcess } from './service-process.ts';

const lookEveryMs = 10_000;

/**
 * Looks in a row that found nothing heard. Counted instead of timed: after the whole machine was suspended, one look
 * finds nothing, not six.
 */
const maxSilentLooks = 6;

/** What is looked at of a process. */
export type Watched = Pick<ServiceProcess, 'name' | 'pid' | 'serving' | 'heard' | 'kill'>;

interface Heard {
  count: number;
  silent: number;
}

export class Liveness {
  readonly #processes: () => readonly Watched[];
  readonly #log: Log;
  readonly #heard = new WeakMap<Watched, Heard>();
  readonly #timer: NodeJS.Timeout;

  constructor(processes: () => readonly Watched[], log: Log) {
    this.#processes = processes;
    this.#log = log;
    this.#timer = setInterval(() => this.look(), lookEveryMs);
    this.#timer.unref();
  }

  look(): void {
    for (const process of this.#processes()) {
      const before = this.#heard.get(process);
      if (!process.serving || process.heard !== before?.count) {
        this.#heard.set(process, { count: process.heard, silent: 0 });
        continue;
      }
      before.silent += 1;
      if (before.silent < maxSilentLooks) continue;
      const silentMs = before.silent * lookEveryMs;
      this.#log.error('worker-hangs', { process: process.name, pid: process.pid, silentMs });
      process.kill();
    }
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
