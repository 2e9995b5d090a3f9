/** Where Postfix is told to send something. */
export type Destination =
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      /** In brackets: no MX record is looked up. */
      readonly literal: boolean;
    }
  | { readonly kind: 'unix'; readonly path: string };

/** Ports that Postfix's documents name; anything else is looked up by nobody here. */
const wellKnown: ReadonlyMap<string, number> = new Map([
  ['smtp', 25],
  ['lmtp', 24],
  ['submission', 587],
  ['smtps', 465],
  ['submissions', 465],
]);

/** @returns undefined for what is no port */
export function portOf(text: string): number | undefined {
  const port = wellKnown.get(text) ?? (/^\d{1,5}$/.test(text) ? Number(text) : undefined);
  return port !== undefined && port > 0 && port <= 65535 ? port : undefined;
}

/**
 * Reads `[host]:port`, `host:port`, `host` and, as LMTP and Milters have them, `inet:host:port` and `unix:path`.
 * @returns undefined for what names no place: an empty one means the domain of the recipient
 */
export function parseDestination(text: string, usualPort = 25): Destination | undefined {
  const unix = /^(?:unix|local):(.+)$/.exec(text)?.[1];
  if (unix !== undefined) return { kind: 'unix', path: unix };
  const plain = text.replace(/^inet6?:/, '');
  const [, bracketed, bare, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([^:]+))?$/.exec(plain) ?? [];
  const host = bracketed ?? bare;
  if (host === undefined) return undefined;
  const number = port === undefined ? usualPort : portOf(port);
  if (number === undefined) return undefined;
  return { kind: 'tcp', host: host.replace(/^IPv6:/i, ''), port: number, literal: bracketed !== undefined };
}

/** Places in a list: `[a]:25, [b]:25`. */
export const parseDestinations = (text: string, usualPort = 25): readonly Destination[] =>
  text.split(/[\s,]+/).flatMap((one) => (one === '' ? [] : (parseDestination(one, usualPort) ?? [])));
