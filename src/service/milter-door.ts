/** The door for a mail server that speaks Milter, wired to the rooms behind it. */
import { createMilterFilter } from '../course/milter.ts';
import { maxHeaderBytes, maxHeaderFields, type Detacher } from '../detach/interface.ts';
import type { ClientLimits } from '../inbound/client-limits.ts';
import { startMilterServer, type MilterServer } from '../inbound/milter/server.ts';
import type { Guard } from '../loopguard/interface.ts';
import type { Meter } from '../observe/interface.ts';
import { RepeatedLines } from '../observe/repeated-lines.ts';
import { NetworkList } from '../smtp/networks.ts';
import type { Opening } from './process-host.ts';

/**
 * Half of Postfix's `milter_content_timeout`, and half of the ten minutes after which a client gives up and sends the
 * message again, which would be delivered twice.
 */
const replyWithinMs = 285_000;

/** Postfix waits 300 s for each packet (`milter_content_timeout`), and 30 s where an operator lowered it. */
const progressEveryMs = 10_000;

export interface MilterRooms {
  readonly guard: Guard;
  readonly detacher: Detacher;
  readonly meter: Meter;
  readonly limits: ClientLimits;
}

export async function openMilterDoor(opening: Opening, rooms: MilterRooms): Promise<MilterServer> {
  const { config, log, handle } = opening;
  const repeated = new RepeatedLines(log);
  const trusted = new NetworkList(config.inbound.trustedNetworks);
  const server = await startMilterServer({
    listen: { handle },
    filter: createMilterFilter({ ...rooms, log }),
    macros: ['i'],
    maxHeaderBytes,
    maxHeaderFields,
    openRoom: (client) => rooms.detacher.openRoom(client),
    replyWithinMs,
    progressEveryMs,
    enter: (address) => rooms.limits.enter(address),
    // The permissions of the UNIX socket decide who may use it.
    trusts: (address) => address === '' || trusted.has(address),
    report: (event, address) => {
      const client = address === '' ? 'unix' : address;
      if (event.kind === 'stranger')
        repeated.warn('client-refused', client, { client, reason: 'not in inbound.trustedNetworks' });
      else if (event.kind === 'refused') repeated.warn('client-refused', client, { client, reason: event.reason });
      else
        repeated.warn('milter-error', `${client} ${event.reason}`, {
          client,
          trouble: event.kind,
          reason: event.reason,
        });
    },
  });
  return {
    ...server,
    async close(closing) {
      await server.close(closing);
      repeated.close();
    },
  };
}
