import { BlockList, isIP } from 'node:net';

interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: 4 | 6;
}

/** Neighbours are few; should they be many, the answers for them are found anew. */
const maxKnown = 1000;

/**
 * A list of networks in CIDR notation (RFC 4632, RFC 4291 section 2.3). An IPv4 peer is the same peer whether the
 * system shows it as `192.0.2.1` or, on a dual-stack socket, as `::ffff:192.0.2.1`.
 */
export class NetworkList {
  // Two lists, since one BlockList finds every IPv4 address in `::/0`.
  readonly #v4 = new BlockList();
  readonly #v6 = new BlockList();
  /** Answers given: a search costs as much as all else that a new connection is asked. */
  readonly #known = new Map<string, boolean>();

  /** @throws RangeError naming the entry that is no network */
  constructor(networks: readonly string[]) {
    for (const text of networks) {
      const { address, prefix, family } = parseNetwork(text);
      if (family === 4) this.#v4.addSubnet(address, prefix, 'ipv4');
      else this.#v6.addSubnet(address, prefix, 'ipv6');
    }
  }

  /** Whether the address lies in one of the networks. What is no address (a Unix socket has none) lies in none. */
  has(address: string | undefined): boolean {
    if (address === undefined) return false;
    let known = this.#known.get(address);
    if (known === undefined) {
      if (this.#known.size >= maxKnown) this.#known.clear();
      known = this.#search(withoutZone(address));
      this.#known.set(address, known);
    }
    return known;
  }

  #search(plain: string): boolean {
    const family = isIP(plain);
    if (family === 0) return false;
    if (family === 4) return this.#v4.check(plain, 'ipv4');
    const mapped = mappedAddress(plain);
    return mapped === undefined ? this.#v6.check(plain, 'ipv6') : this.#v4.check(mapped, 'ipv4');
  }
}

/**
 * A network in CIDR notation, or a single address.
 * @throws RangeError also for bits set beyond the prefix: `10.1.2.3/8` is more often a slip than a wish
 */
function parseNetwork(text: string): Network {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const family = isIP(address);
  if (family !== 4 && family !== 6) throw new RangeError(`${JSON.stringify(text)} is no network`);
  const width = family === 4 ? 32 : 128;
  const digits = slash < 0 ? String(width) : text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits) || Number(digits) > width) {
    throw new RangeError(`${JSON.stringify(text)} has no prefix length from 0 to ${width}`);
  }
  const prefix = Number(digits);
  const value = toBits(address, family);
  if ((value & ((1n << BigInt(width - prefix)) - 1n)) !== 0n) {
    throw new RangeError(`${JSON.stringify(text)} has bits set beyond its prefix length`);
  }
  const mapped = family === 6 && prefix >= 96 ? mappedAddress(address) : undefined;
  return mapped === undefined ? { address, prefix, family } : { address: mapped, prefix: prefix - 96, family: 4 };
}

/** The IPv4 address inside an IPv4-mapped one (RFC 4291 section 2.5.5.2). */
function mappedAddress(address: string): string | undefined {
  // Nearly every peer is told apart by its first characters; only what may be mapped pays for the arithmetic.
  if (!/^[0:]+:ffff:/i.test(address)) return undefined;
  const value = toBits(address, 6);
  if (value >> 32n !== 0xffffn) return undefined;
  return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.');
}

function toBits(address: string, family: 4 | 6): bigint {
  if (family === 4) return address.split('.').reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
  const tail = /(?:^|:)(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  const low = tail === undefined ? 0n : toBits(tail, 4);
  const hex =
    tail === undefined
      ? address
      : `${address.slice(0, -tail.length)}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  const [head = '', rest] = hex.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = rest === undefined || rest === '' ? [] : rest.split(':');
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** Without the interface of a scoped address (RFC 4007 section 11): `fe80::1%eth0`. */
function withoutZone(address: string): string {
  const percent = address.indexOf('%');
  return percent < 0 ? address : address.slice(0, percent);
}
