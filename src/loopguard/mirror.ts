import { networkInterfaces } from 'node:os';
import { parseAddress } from '../smtp/networks.ts';

/** An address and port of TCP. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/**
 * Whether a session that was just opened has ended at one of our own listeners: mail sent on it would come straight
 * back. The other half of the mirror test is the fingerprint that a filter offers in EHLO, which also sees through
 * balancers and names.
 */
export function isOwnListener(listeners: readonly Endpoint[], remote: Endpoint): boolean {
  const remoteAddress = plainAddress(remote.address);
  return listeners.some(({ address, port }) => {
    if (port !== remote.port) return false;
    return plainAddress(address) === remoteAddress || (isWildcard(address) && isOfThisMachine(remoteAddress));
  });
}

/** A listener at one of these takes connections to every address of the machine. */
const isWildcard = (address: string): boolean => address === '' || parseAddress(address)?.range() === 'unspecified';

/** `address`: as `plainAddress` returns it. */
export function isOfThisMachine(address: string): boolean {
  if (parseAddress(address)?.range() === 'loopback') return true;
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((entry) => plainAddress(entry.address) === address),
  );
}

/**
 * One spelling for each address: without `IPv6:` (RFC 5321 section 4.1.3) and zone, an IPv4-mapped one as IPv4. What is
 * no address, such as a host name, only becomes lower case.
 */
export function plainAddress(address: string): string {
  return parseAddress(address.replace(/^ipv6:/i, ''))?.toString() ?? address.toLowerCase();
}
