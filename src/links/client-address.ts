import { isIP } from 'node:net';
import type { NetworkList } from '../smtp/networks.ts';

interface Stated {
  /** The other end of the connection. */
  readonly peer: string | undefined;
  /** X-Forwarded-For. */
  readonly forwardedFor: string | undefined;
}

/**
 * The client's address, for the log. X-Forwarded-For is read from its end, as long as trusted proxies wrote it.
 * Everything before the first other address was written by the client and is ignored.
 */
export function clientAddress({ peer, forwardedFor }: Stated, trustedProxies: NetworkList): string {
  let address = peer ?? 'unknown';
  const hops = (forwardedFor ?? '').slice(-1000).split(',');
  while (trustedProxies.has(address)) {
    const before = hops.pop()?.trim() ?? '';
    if (isIP(before) === 0) break;
    address = before;
  }
  return address;
}
