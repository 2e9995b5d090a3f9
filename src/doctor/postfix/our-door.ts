/** Whether a place that a Postfix names is ours, and whether a place that we name is one of its listeners. */
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import type { Config, NextHopAddress } from '../../config/config.ts';
import { isOfThisMachine, plainAddress } from '../../loopguard/mirror.ts';
import { parseAddress } from '../../smtp/networks.ts';
import { type Destination, portOf } from './destination.ts';
import type { Service } from './service.ts';

/** A resolver that does not answer must not hold up the doctor. */
const lookupMs = 3000;

/** Addresses of a name; none when it has none, or the resolver does not answer. */
export async function addressesOf(host: string): Promise<readonly string[]> {
  if (parseAddress(host)) return [plainAddress(host)];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), lookupMs);
  });
  try {
    const found = await Promise.race([lookup(host, { all: true, verbatim: true }), late]);
    return found.map(({ address }) => plainAddress(address));
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
  }
}

/** Whether mail sent there comes to `inbound.address` and `inbound.port`. */
export async function leadsToUs(destination: Destination, inbound: Config['inbound']): Promise<boolean> {
  if (destination.kind === 'unix') return isOurSocket(destination.path, inbound.address);
  if (inbound.address.startsWith('unix:') || destination.port !== inbound.port) return false;
  // Behind a balancer the address is that of the balancer, which nobody here can follow.
  if (inbound.proxyHosts.length > 0) return true;
  const [theirs, ours] = await Promise.all([addressesOf(destination.host), addressesOf(inbound.address)]);
  return theirs.some((address) => reaches(ours, address));
}

/** Postfix writes the path of a socket from its root or, in a chroot, from its queue directory. */
const isOurSocket = (path: string, address: string): boolean =>
  address.startsWith('unix:') && (address === `unix:${path}` || address.endsWith(`/${path.replace(/^\/+/, '')}`));

function reaches(listening: readonly string[], address: string): boolean {
  if (listening.includes(address)) return true;
  return listening.some(isWildcard) && isOfThisMachine(address);
}

const isWildcard = (address: string): boolean => parseAddress(address)?.range() === 'unspecified';

export interface Listens {
  readonly service: Service;
  readonly host: string;
  readonly port: number;
}

/** The listeners of a master.cf: `host` is '' for all addresses of `inet_interfaces`. */
export function listenersOf(services: readonly Service[]): readonly Listens[] {
  return services.flatMap((service) => {
    if (service.type !== 'inet') return [];
    const at = service.name.lastIndexOf(':');
    const port = portOf(service.name.slice(at + 1));
    const host = service.name.slice(0, Math.max(0, at)).replace(/^\[|\]$/g, '');
    return port === undefined ? [] : [{ service, host, port }];
  });
}

/** How surely a listener is the one that our next hop means, from 0: not at all. */
export interface Match {
  readonly service: Service;
  readonly sureness: number;
  /** Nothing but the port is the same. */
  readonly unsure: boolean;
}

/** Named by address or by the name of that Postfix; on this machine; only the port is the same. */
const sureness = { named: 3, here: 2, port: 1 } as const;

const match = (service: Service, how: keyof typeof sureness): Match => ({
  service,
  sureness: sureness[how],
  unsure: how === 'port',
});

/** The listener of a Postfix that takes what is sent to our next hop. */
export async function listenerFor(
  hop: NextHopAddress,
  { listeners, myhostname }: { readonly listeners: readonly Listens[]; readonly myhostname: string },
): Promise<Match | undefined> {
  if (hop.kind === 'unix') return undefined;
  const atPort = listeners.filter(({ port }) => port === hop.port);
  if (atPort.length === 0) return undefined;
  const addresses = await addressesOf(hop.host);
  const named = atPort.find(({ host }) => host !== '' && (host === hop.host || addresses.includes(plainAddress(host))));
  if (named) return match(named.service, 'named');
  const open = atPort.find(({ host }) => host === '' || isWildcard(host));
  if (!open) return undefined;
  const { service } = open;
  if (hop.host.toLowerCase() === myhostname.toLowerCase()) return match(service, 'named');
  // A configuration that was copied from another machine: its port is all that can be compared.
  return match(service, addresses.some(isOfThisMachine) ? 'here' : 'port');
}

/** Our own addresses, as a neighbour may see us. */
export function ourAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => plainAddress(address)));
}
