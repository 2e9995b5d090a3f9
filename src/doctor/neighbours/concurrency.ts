import { NetworkList } from '../../smtp/networks.ts';
import { fail, type Found, ok, warn } from '../finding.ts';
import type { Check, Context } from '../interface.ts';
import type { Neighbour } from '../postfix/neighbour.ts';
import { ourAddresses } from '../postfix/our-door.ts';
import type { Route } from '../postfix/routes.ts';
import type { Service } from '../postfix/service.ts';
import { destinationLimit, entriesOf, isQueued, nameOf, numberOf } from '../postfix/values.ts';

/** Connections: how many one side opens, and how many the other one takes. */
export const concurrency: Check = {
  name: 'postfix-concurrency',
  run: (context) =>
    context.neighbours.flatMap((neighbour) => [
      ...neighbour.toUs.map((route) => towardsUs(neighbour, route, context)),
      ...neighbour.fromUs.map((listener) => fromUs(neighbour, listener, context)),
    ]),
};

function towardsUs(neighbour: Neighbour, route: Route, { config: { inbound } }: Context): Found {
  const { name, value } = connectionsOf(neighbour, route);
  const ours = Math.min(inbound.maxClients, inbound.maxClientsPerAddress);
  const key = inbound.maxClientsPerAddress < inbound.maxClients ? 'maxClientsPerAddress' : 'maxClients';
  const says = `${neighbour.dir}: ${name} (${value === 0 ? 'no limit' : value})`;
  if (value !== 0 && value <= ours) return ok(`${says} is within inbound.${key} (${ours})`);
  return fail(
    `${says} is above inbound.${key} (${ours}): what is beyond it is told 421 and deferred`,
    `set ${name.split(' ')[0]} to ${ours} or less, or raise inbound.${key}`,
  );
}

/** How many connections a way may open at once; 0: no limit. */
function connectionsOf(neighbour: Neighbour, route: Route): { readonly name: string; readonly value: number } {
  if (isQueued(route)) {
    const { name, value = 0 } = destinationLimit('concurrency_limit', { neighbour, route });
    return { name, value };
  }
  // A before-queue filter and a Milter have one connection for each smtpd.
  const processes = route.listener?.maxProcesses;
  const usual = numberOf(neighbour.get('default_process_limit')) ?? 0;
  return processes === undefined
    ? { name: 'default_process_limit', value: usual }
    : { name: `maxproc of ${route.listener?.name ?? 'smtpd'} in master.cf`, value: processes };
}

function fromUs(neighbour: Neighbour, listener: Service, { config: { outbound } }: Context): Found {
  const { dir, get } = neighbour;
  const { maxConnections } = outbound;
  const exempt = isExempt(listener);
  const limit = numberOf(listener.get('smtpd_client_connection_count_limit')) ?? 0;
  if (limit !== 0 && maxConnections > limit && !exempt)
    return fail(
      `${dir}: ${nameOf(listener)} grants one client ${limit} connections (smtpd_client_connection_count_limit), and outbound.maxConnections is ${maxConnections}`,
      'set smtpd_client_connection_count_limit = 0 there: we are one client with the mail of all, or lower outbound.maxConnections',
    );
  const rate = numberOf(listener.get('smtpd_client_connection_rate_limit')) ?? 0;
  if (rate !== 0 && !exempt)
    return warn(
      `${dir}: ${nameOf(listener)} takes ${rate} connections of one client in ${listener.get('anvil_rate_time_unit')} (smtpd_client_connection_rate_limit)`,
      'set smtpd_client_connection_rate_limit = 0 there: we are one client with the mail of all',
    );
  const processes = listener.maxProcesses ?? numberOf(get('default_process_limit')) ?? 0;
  if (processes !== 0 && processes < maxConnections)
    return warn(
      `${dir}: ${nameOf(listener)} has ${processes} processes, and outbound.maxConnections is ${maxConnections}: the others wait in its queue of connections`,
      `set outbound.maxConnections: ${processes}, or raise its maxproc in master.cf`,
    );
  return ok(`${dir}: ${nameOf(listener)} takes ${maxConnections} connections from us`);
}

/** smtpd_client_event_limit_exceptions: those clients are not counted, by default all of mynetworks. */
function isExempt(listener: Service): boolean {
  const networks = entriesOf(listener.get('smtpd_client_event_limit_exceptions')).flatMap((entry) => {
    const plain = entry.replace(/^\[([^\]]+)\]/, '$1');
    try {
      new NetworkList([plain]);
      return [plain];
    } catch {
      return [];
    }
  });
  const list = new NetworkList(networks);
  return ourAddresses().some((address) => list.has(address));
}
