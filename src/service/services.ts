/**
 * The rooms wired together, from storage to the front door. A service of one process opens both halves; of several
 * workers each opens the doors for mail and pages, and the process above them the one for those who watch.
 */
import type { Config } from '../config/config.ts';
import { createDetacher } from '../detach/detacher.ts';
import { hostPort } from '../smtp/host-port.ts';
import { startInbound } from '../inbound/smtp/server.ts';
import { createNotice } from '../links/notice.ts';
import { startLinkServer } from '../links/server.ts';
import { createGuard } from '../loopguard/guard.ts';
import type { Guard } from '../loopguard/interface.ts';
import { isOwnListener, type Listener } from '../loopguard/mirror.ts';
import { notificationWriter } from '../loopguard/notification.ts';
import { OpenCalls } from '../loopguard/open-calls.ts';
import { startHealthServer, type Figures, type HealthServer } from '../observe/health.ts';
import type { Log, Meter } from '../observe/interface.ts';
import type { Check } from '../observe/readiness.ts';
import type { NextHop } from '../outbound/interface.ts';
import { createNextHop } from '../outbound/next-hop.ts';
import { Relay } from '../course/relay.ts';
import type { Store } from '../storage/interface.ts';
import { createStore } from '../storage/store.ts';

/** Postfix waits 600 s for the reply to the final dot; a service manager rarely waits longer than 90 s. */
const SHUTDOWN_GRACE_MS = 60_000;

/** What the halves share. */
export interface Services {
  readonly config: Config;
  readonly log: Log;
  readonly meter: Meter;
  readonly store: Store;
  readonly guard: Guard;
  readonly nextHop: NextHop;
  /** Where we listen ourselves: a next hop there is a mirror. */
  readonly listeners: Listener[];
}

export function createServices(config: Config, log: Log, meter: Meter): Services {
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
  return { config, log, meter, guard, listeners, nextHop, store: createStore(config) };
}

export interface Doors {
  /** Where mail is taken. */
  readonly inbound: Listener;
  /** Where pages are served, `host:port`. */
  readonly links: string;
  /** Front door first; waits for messages under way. */
  close(): Promise<void>;
}

/** Mail and pages. @throws what a door cannot be opened for, or a TemplateError; nothing is left open then */
export async function openDoors({ config, log, meter, guard, listeners, nextHop, store }: Services): Promise<Doors> {
  const detacher = createDetacher({ config, store, notice: createNotice(config.links), log, meter });
  const links = await startLinkServer({ links: config.links, store, log });
  const notify = notificationWriter({ hostname: config.hostname });
  const calls = new OpenCalls({ hostname: config.hostname, askOthers: () => Promise.resolve(false) });
  try {
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
          calls,
          detacher,
          notify,
          log,
          meter,
          policyClass: detacher.policyClass,
        }),
    });
    listeners.push(inbound);
    return {
      inbound: { address: inbound.address, port: inbound.port },
      links: links.address,
      async close() {
        await inbound.close(SHUTDOWN_GRACE_MS);
        await Promise.all([nextHop.close(), detacher.close(), links.close()]);
      },
    };
  } catch (error) {
    // Pages without mail would look like a service that runs: nothing would start it again.
    await links.close();
    throw error;
  }
}

/** Figures and health, for those who watch; `others`: what else must be true for mail to pass. */
export function openHealth(
  { config, nextHop, store }: Services,
  figures: Figures,
  others: readonly Check[] = [],
): Promise<HealthServer> {
  return startHealthServer({
    metrics: config.metrics,
    figures,
    checks: [
      { name: 'nextHop', check: (signal) => nextHop.probe(signal) },
      { name: 'storage', check: (signal) => store.probe(signal) },
      ...others,
    ],
  });
}

/** What the line says that tells of a service that takes mail. */
export const readyFields = (
  { inbound, links }: Pick<Doors, 'inbound' | 'links'>,
  health: Pick<HealthServer, 'address'>,
): Record<'inbound' | 'links' | 'metrics', string> => ({
  inbound: hostPort(inbound.address, inbound.port),
  links,
  metrics: health.address,
});

/** Mail without large files passes while storage is down; the rest is deferred, so this is no reason not to start. */
export async function prepareStorage({ store, log }: Pick<Services, 'store' | 'log'>): Promise<void> {
  try {
    await store.prepare(AbortSignal.timeout(30_000));
  } catch (error) {
    log.error('storage-not-ready', { err: error });
  }
}

/** As last seen from the next hop; before it was ever seen, all: a transaction that it cannot take gets 451. */
function offers(nextHop: NextHop, guard: Guard): readonly string[] {
  const seen = nextHop.lastSeen;
  const relayed = ['8BITMIME', 'SMTPUTF8', 'DSN'].filter((keyword) => seen?.has(keyword) ?? true);
  return [...relayed, `XDETACH ${guard.fingerprint}`];
}
