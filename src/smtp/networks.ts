import { isIP, isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = readonly [address: Address, prefix: number];

/**
 * A list of networks in CIDR notation (RFC 4632, RFC 4291 section 2.3). An IPv4 peer is the same peer whether the
 * system shows it as `192.0.2.1` or, on a dual-stack socket, as `::ffff:192.0.2.1`.
 */
export class NetworkList {
  readonly #networks: readonly Network[];

  /** @throws RangeError naming the entry that is no network */
  constructor(networks: readonly string[]) {
    this.#networks = networks.map(parseNetwork);
  }

  /** Whether the address lies in one of the networks. What is no address (a Unix socket has none) lies in none. */
  has(text: string | undefined): boolean {
    const address = text === undefined || this.#networks.length === 0 ? undefined : parseAddress(text);
    if (address === undefined) return false;
    // A range of one family never matches an address of the other: `::/0` is not all of IPv4.
    return this.#networks.some(([range, prefix]) => range.kind() === address.kind() && address.match(range, prefix));
  }
}

/**
 * An address without its zone (`fe80::1%eth0`, RFC 4007 section 11); an IPv4-mapped one (RFC 4291 section 2.5.5.2) as
 * the IPv4 address that it is. Undefined for what is no address, short forms of IPv4 such as `127.1` included.
 */
export function parseAddress(text: string): Address | undefined {
  const plain = text.replace(/%.*$/s, '');
  return isIP(plain) === 0 ? undefined : ipaddr.process(spelledOut(plain));
}

/**
 * One spelling for each address; an IPv4 address is the same whether a dual-stack socket shows it or another. What is no
 * address stays as it is, and so does one with a zone (RFC 4007 section 11), such as `fe80::1%eth0`.
 */
export function canonicalAddress(text: string): string {
  // As sockets show nearly all clients, and asked for each connection: the library takes ten times as long.
  const plain = text.startsWith('::ffff:') ? text.slice(7) : text;
  if (isIPv4(plain)) return plain;
  return text.includes('%') ? text : (parseAddress(text)?.toString() ?? text);
}

/** The library reads the deprecated `::192.0.2.1` (RFC 4291 section 2.5.5.1) as an IPv4-mapped address; it is none. */
const spelledOut = (address: string): string => address.replace(/^::(?=\d+\.)/, '0::');

/**
 * A network in CIDR notation, or a single address.
 * @throws RangeError also for bits set beyond the prefix: `10.1.2.3/8` is usually a mistake
 */
function parseNetwork(text: string): Network {
  const [host = '', digits, ...more] = text.split('/');
  const quoted = JSON.stringify(text);
  if (isIP(host) === 0 || host.includes('%') || more.length > 0) throw new RangeError(`${quoted} is no network`);
  const address = ipaddr.parse(spelledOut(host));
  const width = address.kind() === 'ipv4' ? 32 : 128;
  const prefix = digits === undefined ? width : /^\d{1,3}$/.test(digits) ? Number(digits) : Infinity;
  if (prefix > width) throw new RangeError(`${quoted} has no prefix length from 0 to ${width}`);
  if (hasBitsBeyond(address, prefix)) throw new RangeError(`${quoted} has bits set beyond its prefix length`);
  const plain = ipaddr.process(spelledOut(host));
  // A network of mapped addresses is the network of IPv4 that they stand for.
  return plain.kind() !== address.kind() && prefix >= 96 ? [plain, prefix - 96] : [address, prefix];
}

function hasBitsBeyond(address: Address, prefix: number): boolean {
  return address.toByteArray().some((byte, i) => (byte & (0xff >> Math.min(8, Math.max(0, prefix - 8 * i)))) !== 0);
}
