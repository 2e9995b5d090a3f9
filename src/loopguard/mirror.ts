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
  const remote = plain(remoteAddress);
  return listeners.some(({ address, port }) => {
    if (port !== remotePort) return false;
    const own = plain(address);
    return own === remote || (isWildcard(own) && isOfThisMachine(remote));
  });
}

const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::' || address === '';

function isOfThisMachine(address: string): boolean {
  if (isIP(address) === 4 && address.startsWith('127.')) return true;
  return Object.values(networkInterfaces()).some((list) => list?.some((entry) => plain(entry.address) === address));
}

/** Without the prefix of an IPv4 address on a dual-stack socket, and without a zone. */
const plain = (address: string): string =>
  address
    .toLowerCase()
    .replace(/^::ffff:(?=\d+\.)/, '')
    .replace(/%.*$/, '');
