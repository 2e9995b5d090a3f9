/** The ways on which a Postfix hands mail to others. */
import { type Destination, parseDestination, parseDestinations } from './destination.ts';
import type { Service } from './service.ts';

export type RouteKind = 'relayhost' | 'content_filter' | 'smtpd_proxy_filter' | 'smtpd_milters';

export interface Route {
  readonly kind: RouteKind;
  /** As written. */
  readonly value: string;
  readonly destinations: readonly Destination[];
  /** The listener that has it; undefined: main.cf. */
  readonly listener: Service | undefined;
  /** Name of the transport in master.cf; undefined where it is none. */
  readonly transport: string | undefined;
}

/** All that main.cf and the listeners say, each once. */
export function routesOf(services: readonly Service[], get: (name: string) => string): readonly Route[] {
  const main = relayhost(get('relayhost'), get('default_transport'));
  const kinds = ['content_filter', 'smtpd_proxy_filter', 'smtpd_milters'] as const;
  const listeners = services.filter(({ program }) => program === 'smtpd' || program === 'postscreen');
  return [
    ...main,
    ...kinds.flatMap((kind) => routeBy(kind, { value: get(kind), listener: undefined })),
    ...kinds.flatMap((kind) =>
      listeners.flatMap((listener) =>
        listener.get(kind) === get(kind) ? [] : routeBy(kind, { value: listener.get(kind), listener }),
      ),
    ),
  ];
}

function relayhost(value: string, defaultTransport: string): readonly Route[] {
  if (value === '') return [];
  const [transport = 'smtp'] = defaultTransport.split(':');
  // `relayhost` counts for the transport of other domains: `relay_transport` has its own next hop only if it says so.
  return [{ kind: 'relayhost', value, destinations: parseDestinations(value), listener: undefined, transport }];
}

/** What a listener, or main.cf, says in one of the other parameters. */
export function routeBy(
  kind: Exclude<RouteKind, 'relayhost'>,
  { value, listener }: Pick<Route, 'value' | 'listener'>,
): readonly Route[] {
  if (value === '') return [];
  if (kind === 'smtpd_milters')
    return value
      .replace(/\{\s*([^\s,}]+)[^}]*\}/g, '$1')
      .split(/[\s,]+/)
      .filter((one) => one !== '')
      .map((one) => ({ kind, value: one, destinations: place(one), listener, transport: undefined }));
  if (kind === 'smtpd_proxy_filter')
    return [{ kind, value, destinations: place(withHost(value)), listener, transport: undefined }];
  const [, transport = '', next = ''] = /^([^:]*):?(.*)$/.exec(value) ?? [];
  return [{ kind, value, destinations: parseDestinations(next), listener, transport }];
}

/** Postfix takes a bare port as one of the local host. */
const withHost = (value: string): string =>
  /^(?:inet:)?:?\d+$/.test(value) ? `127.0.0.1:${value.replace(/\D/g, '')}` : value;

function place(text: string): readonly Destination[] {
  const found = parseDestination(text);
  return found === undefined ? [] : [found];
}
