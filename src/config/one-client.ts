import { NetworkList } from '../smtp/networks.ts';

const loopback = new NetworkList(['127.0.0.0/8', '::1']);

/** Whether these networks contain at most one address besides loopback. Then all mail comes from one neighbour. */
export function allowsOneClientOnly(networks: readonly string[]): boolean {
  const others = networks.filter((network) => !loopback.has(network.split('/')[0]));
  return others.length === 0 || (others.length === 1 && isSingleAddress(others[0]!));
}

function isSingleAddress(network: string): boolean {
  const [address = '', prefix] = network.split('/');
  return prefix === undefined || prefix === (address.includes(':') ? '128' : '32');
}
