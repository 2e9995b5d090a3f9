/**
 * The header with which a load balancer says who the client is: the PROXY protocol, versions 1 and 2
 * (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt).
 *
 * The header is believed, so the caller must have checked that its sender may send one.
 */
import { isIP } from 'node:net';
import { canonicalAddress } from '../../smtp/networks.ts';

export type ProxyHeader =
  /** The connection is relayed for this client. */
  | { readonly kind: 'client'; readonly address: string }
  /** The balancer's own connection, such as a health check: its own address counts. */
  | { readonly kind: 'local' }
  /** The balancer relays for a client that it cannot name. Its own address says nothing about that client. */
  | { readonly kind: 'unknown' };

export type Parsed =
  /** More octets are needed. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'broken'; readonly reason: string }
  /** `length`: octets of the header; what follows them is the client's. */
  | { readonly kind: 'complete'; readonly header: ProxyHeader; readonly length: number };

/** Octets of a header of version 1, line end included (section 2.1). */
const maxV1Octets = 107;

/** Octets of a header of version 2. The specification allows 65,551; addresses and extensions rarely need 500. */
const maxV2Octets = 4096;

/** Both versions begin differently from the first octet on. */
const v1Start = Buffer.from('PROXY ');
const v2Start = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** Signature, version and command, family and protocol, length. */
const v2FixedOctets = 16;

const incomplete: Parsed = { kind: 'incomplete' };
const broken = (reason: string): Parsed => ({ kind: 'broken', reason });

/** @param data everything received so far */
export function parseProxyHeader(data: Buffer): Parsed {
  if (data.length === 0) return incomplete;
  const start = data[0] === v2Start[0] ? v2Start : v1Start;
  const common = Math.min(data.length, start.length);
  if (data.compare(start, 0, common, 0, common) !== 0) return broken('no PROXY header where one is expected');
  if (common < start.length) return incomplete;
  return start === v1Start ? parseV1(data) : parseV2(data);
}

function parseV1(data: Buffer): Parsed {
  const end = data.subarray(0, maxV1Octets).indexOf('\r\n');
  if (end < 0) return data.length < maxV1Octets ? incomplete : broken('PROXY header without end');
  const [, family, source = '', target = '', sourcePort = '', targetPort = '', ...rest] = data
    .toString('latin1', 0, end)
    .split(' ');
  const length = end + 2;
  // Section 2.1: what follows UNKNOWN must be ignored.
  if (family === 'UNKNOWN') return { kind: 'complete', header: { kind: 'unknown' }, length };
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : undefined;
  if (version === undefined) return broken('PROXY header with an unknown family');
  if (isIP(source) !== version || isIP(target) !== version) return broken('PROXY header with a wrong address');
  if (!isPort(sourcePort) || !isPort(targetPort) || rest.length > 0) return broken('PROXY header with a wrong port');
  return { kind: 'complete', header: { kind: 'client', address: canonicalAddress(source) }, length };
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535;
}

/** Section 2.2. */
function parseV2(data: Buffer): Parsed {
  if (data.length < v2FixedOctets) return incomplete;
  const version = data[12]! >> 4;
  const command = data[12]! & 0xf;
  const bodyOctets = data.readUInt16BE(14);
  const length = v2FixedOctets + bodyOctets;
  if (version !== 2 || command > 1) return broken('PROXY header with an unknown version or command');
  if (length > maxV2Octets) return broken(`PROXY header of more than ${maxV2Octets} octets`);
  if (data.length < length) return incomplete;
  if (command === 0) return { kind: 'complete', header: { kind: 'local' }, length };
  const source = sourceOfV2(data[13]!, data.subarray(v2FixedOctets, length));
  if (source === 'short') return broken('PROXY header too short for its addresses');
  const header: ProxyHeader = source === undefined ? { kind: 'unknown' } : { kind: 'client', address: source };
  return { kind: 'complete', header, length };
}

/** TCP over IPv4 or IPv6. UNSPEC, UDP and UNIX sockets name no client that we could know. */
function sourceOfV2(familyAndProtocol: number, body: Buffer): string | undefined {
  switch (familyAndProtocol) {
    case 0x11:
      return body.length < 12 ? 'short' : body.subarray(0, 4).join('.');
    case 0x21:
      return body.length < 36 ? 'short' : canonicalAddress(body.toString('hex', 0, 16).replace(/(.{4})(?!$)/g, '$1:'));
    default:
      return undefined;
  }
}
