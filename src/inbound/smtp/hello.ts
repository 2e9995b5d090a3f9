import type { Reply } from '../../smtp/reply.ts';
import type { Offers } from '../interface.ts';
import { xforwardAttributes } from './xforward.ts';

export interface HelloOptions {
  readonly hostname: string;
  readonly maxMessageSize: number;
  readonly offers: Offers;
  readonly starttls: boolean;
  readonly xforward: boolean;
}

/** Octets of the name that a client gives itself: a domain has 255 at most (RFC 5321 section 4.5.3.1.2). */
const maxNameOctets = 255;

/** The name in HELO, EHLO or LHLO as it was said; undefined when there is none, or several, or one that cannot be. */
export function parseHello(line: string): string | undefined {
  const name = /^\S+[ \t]+(\S+)[ \t]*$/.exec(line)?.[1];
  return name === undefined || name.length > maxNameOctets || /[\u0000-\u001f\u007f]/.test(name) ? undefined : name;
}

/** The reply to EHLO and LHLO. SIZE is our own limit, never the next hop's: what we pass on may be far smaller. */
export function helloReply({ hostname, maxMessageSize, offers, starttls, xforward }: HelloOptions): Reply {
  const lines = [hostname, 'PIPELINING', `SIZE ${maxMessageSize}`, 'ENHANCEDSTATUSCODES', ...offers.extensions()];
  if (starttls) lines.push('STARTTLS');
  if (xforward) lines.push(`XFORWARD ${xforwardAttributes.join(' ')}`);
  return { code: 250, lines };
}
