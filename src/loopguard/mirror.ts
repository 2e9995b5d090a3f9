import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

export interface Listener {
  readonly address: string;
  readonly port: number;
}

/**
 * Whether a session that was just opened has ended at one of our own listeners: mail sent on it would come straight
 * back. The other half of the mirror test is the fingerprint that a filter offers in EHLO, which also sees through
 * balancers and names.
 */
export function isOwnListener(listeners: readonly Listener[], remoteAddress: string, remotePort: number): boolean {
  const remote = plainAddress(remoteAddress);
  return listeners.some(({ address, port }) => {
    if (port !== remotePort) return false;
    const own = plainAddress(address);
    return own === remote || (isWildcard(own) && isOfThisMachine(remote));
  });
}

const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::' || address === '';

/** `address`: as `plainAddress` returns it. */
export function isOfThisMachine(address: string): boolean {
  if (isIP(address) === 4 && address.startsWith('127.')) return true;
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((entry) => plainAddress(entry.address) === address),
  );
}

/** Without `IPv6:` (RFC 5321 section 4.1.3), the prefix of an IPv4 address on a dual-stack socket, and a zone. */
export const plainAddress = (address: string): string =>
  address
    .toLowerCase()
    .replace(/^ipv6:/, '')
    .replace(/^::ffff:(?=\d+\.)/, '')
    .replace(/%.*$/, '');
