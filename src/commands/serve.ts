import { ConfigError } from '../config/config-error.ts';
import type { Config } from '../config/config.ts';
import { describeConfig } from '../config/describe-config.ts';
import { loadConfig, type ConfigSources } from '../config/load-config.ts';
import { createDetacher } from '../detach/detacher.ts';
import { startInbound } from '../inbound/server.ts';
import { createNotice } from '../links/notice.ts';
import { TemplateError } from '../links/notice/template-error.ts';
import { startLinkServer } from '../links/server.ts';
import { createGuard } from '../loopguard/guard.ts';
import type { Guard } from '../loopguard/interface.ts';
import { isOwnListener, type Listener } from '../loopguard/mirror.ts';
import { notificationWriter } from '../loopguard/notification.ts';
import { startHealthServer } from '../observe/health.ts';
import type { Log } from '../observe/interface.ts';
import { createLog } from '../observe/log.ts';
import { createMeter } from '../observe/meter.ts';
import type { NextHop } from '../outbound/interface.ts';
import { createNextHop } from '../outbound/next-hop.ts';
import { Relay } from '../relay.ts';
import type { Store } from '../storage/interface.ts';
import { createStore } from '../storage/store.ts';

/** sysexits.h: the configuration is wrong; something could not be opened; a bug. */
const EX_CONFIG = 78;
const EX_UNAVAILABLE = 69;
const EX_SOFTWARE = 70;

/** Postfix waits 600 s for the reply to the final dot; a service manager rarely waits longer than 90 s. */
const SHUTDOWN_GRACE_MS = 60_000;

/** Runs until SIGTERM or SIGINT. */
export async function runServe(sources: ConfigSources): Promise<number> {
  let config: Config;
  try {
    config = loadConfig(sources);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.lines) process.stderr.write(`detach-mta serve: ${line}\n`);
    return EX_CONFIG;
  }
  const log = createLog(config.log.level);
  // What nobody waits for has gone wrong: nothing can be trusted any more, and Postfix has every message still.
  process.on('uncaughtException', (error) => {
    log.error('crash', { err: error });
    process.exit(EX_SOFTWARE);
  });
  log.info('starting', { config: describeConfig(config) });
  const opened: Closing[] = [];
  let stop: () => Promise<void>;
  try {
    stop = await start(config, log, opened);
  } catch (error) {
    log.error('start-failed', { err: error });
    // Pages without mail would look like a service that runs: nothing would start it again.
    await Promise.all(opened.map((door) => door.close()));
    return error instanceof TemplateError ? EX_CONFIG : EX_UNAVAILABLE;
  }
  const signal = await nextSignal();
  log.info('stopping', { signal });
  await stop();
  log.info('stopped');
  return 0;
}

interface Closing {
  close(): Promise<void>;
}

/**
 * Wires the rooms together, from storage to the front door; `opened` gets what is to be closed should that fail.
 * @returns what stops them, front door first
 */
async function start(config: Config, log: Log, opened: Closing[]): Promise<() => Promise<void>> {
  const { meter, registry } = createMeter(config.loopguard.cluster);
  const store = createStore(config);
  const guard = createGuard(config.loopguard);
  const listeners: Listener[] = [];
  const nextHop = createNextHop({
    outbound: config.outbound,
    hostname: config.hostname,
    log,
    meter,
    isMirror: (extensions) => guard.isOurs(extensions.get('XDETACH')),
    isOwnListener: (address, port) => isOwnListener(listeners, address, port),
  });
  const detacher = createDetacher({ config, store, notice: createNotice(config.links), log, meter });
  const links = await startLinkServer({ links: config.links, store, log });
  opened.push(links);
  const health = await startHealthServer({
    metrics: config.metrics,
    registry,
    checks: [
      { name: 'nextHop', check: (signal) => nextHop.probe(signal) },
      { name: 'storage', check: (signal) => store.probe(signal) },
    ],
  });
  opened.push(health);
  const notify = notificationWriter({ hostname: config.hostname });
  const inbound = await startInbound({
    hostname: config.hostname,
    inbound: config.inbound,
    offers: { extensions: () => offers(nextHop, guard) },
    log,
    meter,
    open: () =>
      new Relay({
        hostname: config.hostname,
        inboundProtocol: config.inbound.protocol,
        outboundProtocol: config.outbound.protocol,
        maxMessageSize: config.inbound.maxMessageSize,
        nextHop,
        guard,
        detacher,
        notify,
        log,
        meter,
        policyClass: detacher.policyClass,
      }),
  });
  listeners.push(inbound);
  void prepareStorage(store, log);
  log.info('ready', {
    inbound: `${inbound.address}:${inbound.port}`,
    links: links.address,
    metrics: health.address,
  });
  return async () => {
    await inbound.close(SHUTDOWN_GRACE_MS);
    await Promise.all([nextHop.close(), detacher.close(), links.close(), health.close()]);
  };
}

/** As last seen from the next hop; before it was ever seen, all: a transaction that it cannot take gets 451. */
function offers(nextHop: NextHop, guard: Guard): readonly string[] {
  const seen = nextHop.lastSeen;
  const relayed = ['8BITMIME', 'SMTPUTF8', 'DSN'].filter((keyword) => seen?.has(keyword) ?? true);
  return [...relayed, `XDETACH ${guard.fingerprint}`];
}

/** Mail without large files passes while storage is down; the rest is deferred, so this is no reason not to start. */
async function prepareStorage(store: Store, log: Log): Promise<void> {
  try {
    await store.prepare(AbortSignal.timeout(30_000));
  } catch (error) {
    log.error('storage-not-ready', { err: error });
  }
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}
