import { ConfigError } from '../config/config-error.ts';
import type { Config } from '../config/config.ts';
import { describeConfig } from '../config/describe-config.ts';
import type { ConfigSources } from '../config/load-config.ts';
import type { Log } from '../observe/interface.ts';
import { createLog } from '../observe/log.ts';
import { createMeter } from '../observe/meter.ts';
import { ServiceManager } from '../service/service-manager.ts';
import { StartError } from '../service/start-error.ts';
import { Supervisor } from '../service/supervisor.ts';
import { errorText } from '../smtp/failures.ts';
import { defineCommand } from './command.ts';
import { ExitStatus } from './exit-status.ts';
import { loadChecked } from './load-checked.ts';

/** `detach-mta serve`: runs until SIGTERM or SIGINT; SIGHUP reads the configuration anew. */
export const serve = defineCommand({
  name: 'serve',
  summary: 'Takes mail, detaches files, hands the mail to the next hop, and serves the links',
  handlesSignals: true,
  options: {},
  run: ({ sources, env }) => runServe(sources, env),
});

async function runServe(sources: ConfigSources, env: NodeJS.ProcessEnv): Promise<number> {
  const signals = new Signals();
  const config = loadChecked(sources);
  const log = createLog(config.log);
  process.on('uncaughtException', (error) => {
    // After an unexpected error the state is unknown, so this process ends. The other processes end with it, and
    // Postfix still has every message.
    log.error('crash', { err: error });
    process.exit(ExitStatus.software);
  });
  log.info('starting', { config: describeConfig(config) });
  const { registry } = createMeter(config.loopguard.cluster);
  const supervisor = new Supervisor({ config, registry });
  const manager = new ServiceManager(env, log);
  const started = start(supervisor, { config, log, signals, manager });
  void started.then((failed) =>
    failed === undefined ? reloadOnDemand(supervisor, { sources, log, signals, manager }) : undefined,
  );
  const over = signals.end.then(() => undefined);
  const failed = await Promise.race([over, started.then((status) => status ?? over)]);
  if (failed === undefined) log.info('stopping', { signal: await signals.end });
  manager.stopping();
  await supervisor.stop();
  await manager.end();
  if (failed !== undefined) return failed;
  log.info('stopped');
  return ExitStatus.ok;
}

interface Running {
  readonly config: Config;
  readonly log: Log;
  readonly signals: Signals;
  readonly manager: ServiceManager;
}

/** @returns the exit status when the service cannot start */
async function start(supervisor: Supervisor, { config, log, signals, manager }: Running): Promise<number | undefined> {
  try {
    log.info('ready', await supervisor.serve(config, log));
    manager.ready();
    return undefined;
  } catch (error) {
    // Errors of a start that was given up are expected.
    if (!signals.isEnding()) log.error('start-failed', { err: error });
    return error instanceof StartError ? error.status : ExitStatus.unavailable;
  }
}

/** One reload at a time. Any number of requests during a reload causes one more. */
async function reloadOnDemand(
  supervisor: Supervisor,
  { sources, log: first, signals, manager }: Omit<Running, 'config'> & { readonly sources: ConfigSources },
): Promise<void> {
  for (let log = first; ;) {
    await signals.nextReload();
    if (signals.isEnding()) return;
    log.info('reloading');
    manager.reloading();
    try {
      const config = loadChecked(sources);
      const next = createLog(config.log);
      const fields = await supervisor.serve(config, next);
      log = next;
      log.info('reloaded', fields);
      manager.ready();
    } catch (error) {
      // The reload was given up because a signal ends the service.
      if (signals.isEnding()) return;
      if (!(error instanceof ConfigError)) log.error('reload-failed', { err: error });
      else for (const reason of error.lines) log.error('reload-failed', { reason });
      manager.reloadFailed(errorText(error));
    }
  }
}

/**
 * The signals to this process. It listens from the start, because a signal without a listener would end the process.
 */
class Signals {
  /** Settles with the signal that ends the service. */
  readonly end: Promise<NodeJS.Signals>;
  #ending = false;
  #reloadAsked = false;
  #wake: () => void = () => undefined;

  constructor() {
    this.end = new Promise((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.on(signal, () => {
          this.#ending = true;
          resolve(signal);
        });
      }
    });
    process.on('SIGHUP', () => {
      this.#reloadAsked = true;
      this.#wake();
    });
  }

  isEnding(): boolean {
    return this.#ending;
  }

  /** Resolves when a reload was asked for since the last time. */
  async nextReload(): Promise<void> {
    if (!this.#reloadAsked) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#reloadAsked = false;
  }
}
