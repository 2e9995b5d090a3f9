/** The rooms that mail passes through, wired together in a mail process: from storage to the front door. */
import type { Config } from '../config/config.ts';
import { createDetacher } from '../detach/detacher.ts';
import type { Detacher } from '../detach/interface.ts';
import { startInbound, type Inbound } from '../inbound/smtp/server.ts';
import { unlessAborted } from '../limits/unless-aborted.ts';
import { createNotice } from '../links/notice.ts';
import { createGuard } from '../loopguard/guard.ts';
import type { Guard } from '../loopguard/interface.ts';
import { isOwnListener } from '../loopguard/mirror.ts';
import { notificationWriter } from '../loopguard/notification.ts';
import { OpenCalls } from '../loopguard/open-calls.ts';
import type { Meter } from '../observe/interface.ts';
import { showLimits } from '../observe/limits-meter.ts';
import { createMeter } from '../observe/meter.ts';
import type { NextHop } from '../outbound/interface.ts';
import { createNextHop } from '../outbound/next-hop.ts';
import { Relay, type RelayOptions } from '../course/relay.ts';
import type { Store } from '../storage/interface.ts';
import { storageAdvice } from '../storage/advice.ts';
import { meterBlobs } from '../storage/metered-blobs.ts';
import { createStore, openBlobs } from '../storage/store.ts';
import { errorText } from '../smtp/failures.ts';
import { openMilterDoor } from './milter-door.ts';
import type { Closing, Opening, Serving } from './process-host.ts';
import { SharedClients } from './shared-clients.ts';
import { SharedSpace } from './shared-space.ts';

/** How long the start waits for storage and spool. */
const tryMs = 5000;

interface Rooms {
  readonly meter: Meter;
  readonly store: Store;
  readonly guard: Guard;
  readonly nextHop: NextHop;
  readonly detacher: Detacher;
  readonly calls: OpenCalls;
  readonly notify: ReturnType<typeof notificationWriter>;
}

/** Takes mail. @throws what the door cannot be opened for, or a TemplateError */
export async function openMail(opening: Opening): Promise<Serving> {
  const { config } = opening;
  const { meter, registry } = createMeter(config.loopguard.cluster);
  showLimits(registry, config);
  const rooms = createRooms(opening, meter);
  const inbound = await openDoor(opening, rooms);
  const { nextHop, store, detacher } = rooms;
  return {
    registry,
    notReady: await tryOut(opening, rooms),
    probe: async (signal) => {
      // A Milter sends nothing on: its next hop is the Postfix that shows it the mail.
      const reaching = config.inbound.protocol === 'milter' || nextHop.probe(signal);
      const [reached, stored] = await Promise.all([reaching, store.probe(signal)]);
      return [...(reached ? [] : ['nextHop']), ...(stored ? [] : ['storage'])];
    },
    async close(closing: Closing) {
      await inbound.close(closing);
      const closed = Promise.all([nextHop.close(closing.deadline), detacher.close()]);
      await unlessAborted(closed, closing.deadline).catch((error: unknown) => {
        if (!closing.deadline.aborted) throw error;
      });
    },
  };
}

/** Where mail comes in. */
function openDoor(opening: Opening, rooms: Rooms): Promise<Pick<Inbound, 'close'>> {
  const { config, log, handle, supervisor } = opening;
  const limits = new SharedClients(supervisor.limits);
  const { protocol } = config.inbound;
  if (protocol === 'milter') return openMilterDoor(opening, { ...rooms, limits });
  return startInbound({
    hostname: config.hostname,
    inbound: { ...config.inbound, protocol },
    offers: { extensions: () => offers(rooms) },
    log,
    meter: rooms.meter,
    limits,
    listenOn: handle,
    open: () => openRelay(opening, { ...rooms, inboundProtocol: protocol }),
  });
}

function createRooms({ config, log, listener, supervisor }: Opening, meter: Meter): Rooms {
  const guard = createGuard(config.loopguard);
  const store = createStore({ ...config, linkMade: () => meter.linkMade() }, meterBlobs(openBlobs(config), meter));
  const nextHop = createNextHop({
    outbound: { ...config.outbound, maxIdle: Math.ceil(config.outbound.maxIdle / config.workers) },
    hostname: config.hostname,
    log,
    meter,
    places: supervisor.limits.connections,
    part: Math.ceil(config.outbound.maxConnections / config.workers),
    isMirror: (extensions) => guard.isOurs(extensions.get('XDETACH')),
    isOwnListener: (address, port) => isOwnListener([listener], { address, port }),
  });
  const space = new SharedSpace(supervisor.limits);
  const detacher = createDetacher({ config, store, notice: createNotice(config.links), log, meter, space });
  const calls = new OpenCalls({ hostname: config.hostname, askOthers: (question) => supervisor.ask(question) });
  supervisor.onQuestion((question) => calls.isWaiting(question));
  const notify = notificationWriter({ hostname: config.hostname });
  return { meter, guard, store, nextHop, detacher, calls, notify };
}

function openRelay(
  { config, log }: Opening,
  { meter, guard, nextHop, calls, detacher, notify, inboundProtocol }: Rooms & Pick<RelayOptions, 'inboundProtocol'>,
): Relay {
  return new Relay({
    hostname: config.hostname,
    inboundProtocol,
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
  });
}

/**
 * Mail without large files passes while storage or spool are down, and the rest is deferred: this is no reason not to
 * start. @returns the names of what did not answer
 */
async function tryOut({ config, log, signal }: Opening, { store, detacher }: Rooms): Promise<readonly string[]> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(tryMs)]);
  const tries = [
    { name: 'storage', event: 'storage-not-ready', attempt: store.prepare(within) },
    { name: 'spool', event: 'spool-not-ready', attempt: detacher.trySpool() },
  ];
  const names = tries.map(async ({ name, event, attempt }) => {
    try {
      await unlessAborted(attempt, within);
      return [];
    } catch (error) {
      // The start was given up, for a reason that the log has already.
      if (!signal.aborted) log.error(event, { err: error, fix: fixFor(name, error, config) });
      return [name];
    }
  });
  return (await Promise.all(names)).flat();
}

function fixFor(name: string, error: unknown, { storage, spool }: Config): string {
  if (name === 'storage') return storageAdvice(errorText(error), storage);
  return `spool.directory: give ${spool.directory} to the user of the service, mode 0700, with room`;
}

/** As last seen from the next hop; before it was ever seen, all: a transaction that it cannot take gets 451. */
function offers({ nextHop, guard }: Rooms): readonly string[] {
  const seen = nextHop.lastSeen;
  const relayed = ['8BITMIME', 'SMTPUTF8', 'DSN'].filter((keyword) => seen?.has(keyword) ?? true);
  return [...relayed, `XDETACH ${guard.fingerprint}`];
}
