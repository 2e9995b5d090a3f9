import cluster from 'node:cluster';
import type { Config } from '../config/config.ts';
import { describeConfig } from '../config/describe-config.ts';
import { loadConfig, type ConfigSources } from '../config/load-config.ts';
import { TemplateError } from '../links/notice/template-error.ts';
import type { Log } from '../observe/interface.ts';
import { createLog } from '../observe/log.ts';
import { createMeter } from '../observe/meter.ts';
import { createServices, openDoors, openHealth, prepareStorage, readyFields } from '../service/services.ts';
import { serveAsWorker, startWorkers, WorkerError } from '../service/workers.ts';
import { defineCommand } from './command.ts';
import { ExitStatus } from './exit-status.ts';

/** `detach-mta serve`: runs until SIGTERM or SIGINT. */
export const serve = defineCommand({
  name: 'serve',
  summary: 'Takes mail, detaches files, hands the mail to the next hop, and serves the links',
  handlesSignals: true,
  options: {},
  run: ({ sources }) => runServe(sources),
});

async function runServe(sources: ConfigSources): Promise<number> {
  const config = loadConfig(sources);
  const log = createLog(config.log.level);
  // What nobody waits for has gone wrong: nothing can be trusted any more, and Postfix has every message still.
  process.on('uncaughtException', (error) => {
    log.error('crash', { err: error });
    process.exit(ExitStatus.software);
  });
  try {
    if (cluster.isWorker) {
      await serveAsWorker(config, log);
      return 0;
    }
    log.info('starting', { config: describeConfig(config) });
    const stop = await (config.workers > 1 ? startWorkers(config, log) : startAlone(config, log));
    const signal = await nextSignal();
    log.info('stopping', { signal });
    await stop();
    log.info('stopped');
    return 0;
  } catch (error) {
    log.error('start-failed', { err: error });
    return statusOf(error);
  }
}

/** Everything in this one process. @returns what stops it */
async function startAlone(config: Config, log: Log): Promise<() => Promise<void>> {
  const { meter, registry } = createMeter(config.loopguard.cluster);
  const rooms = createServices(config, log, meter);
  const health = await openHealth(rooms, registry);
  try {
    const doors = await openDoors(rooms);
    void prepareStorage(rooms);
    log.info('ready', readyFields(doors, health));
    return async () => {
      await doors.close();
      await health.close();
    };
  } catch (error) {
    await health.close();
    throw error;
  }
}

function statusOf(error: unknown): number {
  if (error instanceof TemplateError) return ExitStatus.config;
  return error instanceof WorkerError ? (error.status ?? ExitStatus.software) : ExitStatus.unavailable;
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}
