import ipaddr from 'ipaddr.js';

/** A network of so many addresses belongs to nobody in particular. */
const widest = { ipv4: 8, ipv6: 16 } as const;

/** The first network that holds a good part of the public Internet; undefined when there is none. */
export function widestPublic(networks: readonly string[]): string | undefined {
  return networks.find((text) => {
    const plain = text.replace(/^\[([^\]]+)\]/, '$1');
    const [address = '', digits] = plain.split('/');
    if (!ipaddr.isValid(address) || digits === undefined) return false;
    const parsed = ipaddr.parse(address);
    const range = parsed.range();
    if (range === 'private' || range === 'loopback' || range === 'uniqueLocal' || range === 'linkLocal') return false;
    return Number(digits) <= widest[parsed.kind()];
  });
}
