/**
 * What systemd is told (sd_notify(3)), through `systemd-notify`, because Node has no datagram UNIX sockets. The unit
 * therefore needs `NotifyAccess=all`. Without NOTIFY_SOCKET nothing is told.
 */
import { execFile } from 'node:child_process';
import type { Log } from '../observe/interface.ts';

/** It tells one thing at a time, and this is more than it ever takes. */
const toldWithinMs = 10_000;

/** How often the watchdog is told that we live, within the time that it allows. */
const signsOfLife = 3;

export class ServiceManager {
  readonly #env: NodeJS.ProcessEnv;
  readonly #log: Log;
  #last: Promise<void> = Promise.resolve();
  #watchdog: NodeJS.Timeout | undefined;

  constructor(env: NodeJS.ProcessEnv, log: Log) {
    this.#env = env;
    this.#log = log;
  }

  ready(): void {
    this.#tell('READY=1', 'STATUS=');
    const every = watchdogMs(this.#env);
    if (every === undefined || this.#watchdog) return;
    this.#watchdog = setInterval(() => this.#tell('WATCHDOG=1'), every / signsOfLife);
    this.#watchdog.unref();
  }

  /** Until `ready` is called again. */
  reloading(): void {
    this.#tell('RELOADING=1');
  }

  /** What `systemctl status` shows of a reload that failed. The service goes on with what it had. */
  reloadFailed(reason: string): void {
    this.#tell('READY=1', `STATUS=reload failed: ${reason.replace(/\s+/g, ' ')}`);
  }

  /** The watchdog still hears of us: a stop may take longer than it allows. */
  stopping(): void {
    this.#tell('STOPPING=1');
  }

  /** Resolves when systemd has been told everything. */
  end(): Promise<void> {
    clearInterval(this.#watchdog);
    return this.#last;
  }

  #tell(...assignments: readonly string[]): void {
    const { NOTIFY_SOCKET, PATH } = this.#env;
    if (NOTIFY_SOCKET === undefined) return;
    this.#last = this.#last.then(() => this.#run(assignments, { NOTIFY_SOCKET, PATH }));
  }

  #run(assignments: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
    return new Promise((resolve) => {
      execFile('systemd-notify', [...assignments], { env, timeout: toldWithinMs, killSignal: 'SIGKILL' }, (error) => {
        if (error) this.#log.warn('systemd-not-told', { told: assignments, err: error });
        resolve();
      });
    });
  }
}

/** Without a sign of life for this long, systemd kills the service, in ms; undefined when it does not watch this process. */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number | undefined {
  const microseconds = Number(WATCHDOG_USEC);
  if (!(microseconds > 0) || (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(process.pid))) return undefined;
  return microseconds / 1000;
}

/** Variables for the process that systemd has started; its children must not have them. */
export const managerVariables: readonly string[] = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'];
