import { isIP, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { hostPort } from '../smtp/host-port.ts';
import { NetworkList } from '../smtp/networks.ts';
import type { NextHopAddress } from './config.ts';
import { type Format, FormatError, integer, text, wrong } from './format.ts';

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** A name as it may stand in EHLO (RFC 5321 section 2.3.5): letters, digits and hyphens, 255 octets at most. */
export function isHostname(name: string): boolean {
  return name.length <= 255 && isIP(name) === 0 && name.split('.').every((part) => label.test(part));
}

export const hostname = text('host name of letters, digits, hyphens and dots', isHostname);

/** Container networks use host names with underscores, and resolvers accept them. */
function isReachableName(name: string): boolean {
  return isHostname(name.replaceAll('_', 'x'));
}

function isListenAddress(value: string): boolean {
  return isIP(value) !== 0 || (isHostname(value) && /[a-z]/i.test(value));
}

export const listenAddress = text('IP address or host name', isListenAddress);

const unixPath = /^unix:\/[^\0-\x1f\x7f]+$/;

/** Where mail is accepted: also a UNIX socket, `unix:/path`. */
export const inboundAddress = text(
  'IP address, host name or unix:/path',
  (value) => unixPath.test(value) || isListenAddress(value),
);

export const listenPort = integer('port number', { min: 0, max: 65535 });

export const network: Format<string> = {
  label: 'network in CIDR notation or single address',
  secret: false,
  parse(raw) {
    if (typeof raw !== 'string') throw wrong('a network such as 10.0.0.0/8', raw);
    try {
      new NetworkList([raw]);
    } catch (error) {
      if (error instanceof RangeError) throw new FormatError(error.message);
      throw error;
    }
    return raw;
  },
  print: (value) => value,
};

export const nextHop: Format<NextHopAddress> = {
  label: '`host:port`, `[host]:port` as Postfix writes it, `[v6]:port` or `unix:path`',
  secret: false,
  parse(raw) {
    const address = typeof raw === 'string' ? parseNextHop(raw) : undefined;
    if (address === undefined) throw wrong('host:port, [host]:port, [v6]:port or unix:path', raw);
    return address;
  },
  print: formatNextHop,
};

function parseNextHop(raw: string): NextHopAddress | undefined {
  if (raw.startsWith('unix:')) {
    const path = raw.slice('unix:'.length);
    return path === '' || /[\0-\x1f\x7f]/.test(path) ? undefined : { kind: 'unix', path };
  }
  // Postfix's brackets mean that no MX record is looked up, which we never do.
  const [, bracketed, bare, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(raw) ?? [];
  const port = Number(digits);
  const host = bracketed ?? bare;
  if (host === undefined || port < 1 || port > 65535) return undefined;
  const valid = isIPv6(host)
    ? bracketed !== undefined
    : isIP(host) === 4 || (isReachableName(host) && /[a-z]/i.test(host));
  return valid ? { kind: 'tcp', host, port } : undefined;
}

/** The form that `parseNextHop` reads. */
export function formatNextHop(address: NextHopAddress): string {
  return address.kind === 'unix' ? `unix:${address.path}` : hostPort(address.host, address.port);
}

/** Longest public address: with `/` and a token of 22 characters a link has 100. */
const maxBaseUrlLength = 77;

/** The public address of the links, without a slash at its end. An error does not quote it: it may hold credentials. */
export const publicUrl: Format<string> = {
  label: `http or https address of at most ${maxBaseUrlLength} characters`,
  secret: false,
  parse(raw) {
    const url = parseUrl(raw, ['http:', 'https:']);
    if (url.length > maxBaseUrlLength) {
      throw new FormatError(`must have at most ${maxBaseUrlLength} characters, not ${url.length}`);
    }
    return url;
  },
  print: (value) => value,
};

/** The address of a web server. */
export const webAddress: Format<string> = {
  label: 'http or https address',
  secret: false,
  parse: (raw) => parseUrl(raw, ['http:', 'https:']),
  print: (value) => value,
};

/** Azure refuses tokens of an identity without TLS, so `http` could never work here. */
export const accountUrl: Format<string> = {
  label: 'https address of the storage account',
  secret: false,
  parse: (raw) => parseUrl(raw, ['https:']),
  print: (value) => value,
};

function parseUrl(raw: unknown, protocols: readonly string[]): string {
  const expected = protocols.map((protocol) => `${protocol}//`).join(' or ');
  if (typeof raw !== 'string' || !URL.canParse(raw)) throw new FormatError(`must be an address with ${expected}`);
  const url = new URL(raw);
  const problems: string[] = [];
  if (!protocols.includes(url.protocol)) problems.push(`must begin with ${expected}`);
  if (/[^\x21-\x7e]/.test(raw)) problems.push('must be written in ASCII without blanks');
  if (url.username !== '' || url.password !== '') problems.push('must not contain a user or password');
  if (raw.includes('?')) problems.push('must not contain a query');
  if (raw.includes('#')) problems.push('must not contain a fragment');
  if (problems.length > 0) throw new FormatError(...problems);
  return raw.replace(/\/+$/, '');
}

/** A mail domain as an A-label in lower case; with a dot in front, all domains below it. */
const domain: Format<string> = {
  label: 'mail domain, or `.domain` for everything below it',
  secret: false,
  parse(raw) {
    const expected = 'a domain such as example.com or .example.com';
    if (typeof raw !== 'string') throw wrong(expected, raw);
    const dot = raw.startsWith('.') ? '.' : '';
    const ascii = domainToASCII(raw.slice(dot.length)).toLowerCase();
    if (!isReachableName(ascii)) throw wrong(expected, raw);
    return dot + ascii;
  },
  print: (value) => value,
};

/** An address, compared without case, or a domain as in `domain`. */
export const mailboxOrDomain: Format<string> = {
  label: 'mail address, mail domain, or `.domain` for everything below it',
  secret: false,
  parse(raw) {
    const at = typeof raw === 'string' ? raw.lastIndexOf('@') : -1;
    if (typeof raw !== 'string' || at < 0) return domain.parse(raw);
    const local = raw.slice(0, at);
    const host = domainToASCII(raw.slice(at + 1)).toLowerCase();
    if (local === '' || local.length > maxLocalPartLength || /[\0-\x20\x7f]/.test(local) || !isReachableName(host))
      throw wrong('an address such as ann@example.com', raw);
    return `${local.toLowerCase()}@${host}`;
  },
  print: (value) => value,
};

/** RFC 5321 section 4.5.3.1.1. */
const maxLocalPartLength = 64;

/** Whom readers may ask: a mail address, or the URL of a page. */
export const contact: Format<string> = text(
  'mail address or http(s) address of at most 100 characters',
  (value) => value.length <= 100 && (/^https?:\/\//i.test(value) ? isWebAddress(value) : isPlainMailbox(value)),
);

/** Its host is shown to readers, so nothing may stand before the host that looks like one. */
const isWebAddress = (value: string): boolean =>
  /^[\w.~:/?#[\]@!$&'()*+,;=%-]+$/.test(value) && URL.canParse(value) && !/^[^/]*\/\/[^/?#]*@/.test(value);

/** What needs no quoting, neither in a header nor behind `mailto:` (RFC 6068 section 2). */
function isPlainMailbox(value: string): boolean {
  const [, host = ''] = /^[\w!$*+^`{|}~.=-]+@([^@]+)$/.exec(value) ?? [];
  return isHostname(host);
}

/** RFC 5322 section 2.2. */
export const fieldName: Format<string> = text('name of a header field', (value) =>
  /^[\x21-\x39\x3b-\x7e]{1,70}$/.test(value),
);
