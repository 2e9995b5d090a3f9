import type { Config } from '../../config/config.ts';
import { formatNextHop } from '../../config/addresses.ts';
import { hostPort } from '../../smtp/host-port.ts';
import { fail, type Found, ok, warn } from '../finding.ts';
import type { Check } from '../interface.ts';
import type { Neighbour } from '../postfix/neighbour.ts';
import type { Route, RouteKind } from '../postfix/routes.ts';
import { carrierPrefix } from '../postfix/values.ts';

/** Whether mail of the neighbours comes to us, in the protocol that we speak. */
export const wayIn: Check = {
  name: 'postfix-way-in',
  run({ neighbours, config }) {
    // The next hop is named alone, or beside who sends us mail.
    const nobody = neighbours.length > 1 && neighbours.every(({ toUs }) => toUs.length === 0);
    return neighbours.flatMap((neighbour, i) => {
      const { toUs, fromUs, dir } = neighbour;
      if (toUs.length > 0) return toUs.flatMap((route) => along(neighbour, route, config));
      const taken = ok(`${dir}: takes the mail that we send to ${hops(config)}`);
      const alsoSends = nobody && i === 0 && neighbours.every((each) => each.fromUs.length > 0);
      if (fromUs.length > 0) return alsoSends ? [taken, leadsPast(neighbour, config)] : [taken];
      return [leadsPast(neighbour, config)];
    });
  },
};

const hops = ({ outbound }: Config): string => outbound.nextHop.map(formatNextHop).join(', ');

const door = ({ inbound: { address, port } }: Config): string =>
  address.startsWith('unix:') ? address : `[${address}]:${port}`;

function leadsPast({ dir, elsewhere, get }: Neighbour, config: Config): Found {
  const told = elsewhere.map(({ kind, value }) => `${kind} = ${value}`).join(', ');
  const milter = config.inbound.protocol === 'milter';
  const says = told === '' ? `${milter ? 'smtpd_milters' : 'relayhost'} is empty` : `${told} leads past us`;
  const { inbound } = config;
  const listens = inbound.address.startsWith('unix:') ? inbound.address : hostPort(inbound.address, inbound.port);
  return fail(
    `${dir} (${get('myhostname')}): ${says}, and we take mail at ${listens}`,
    milter
      ? `set smtpd_milters = ${inbound.address.startsWith('unix:') ? inbound.address : `inet:${listens}`}`
      : `set relayhost = ${door(config)} there, or the way that docs/attach.md has for this server`,
  );
}

function along(neighbour: Neighbour, route: Route, config: Config): readonly Found[] {
  const { dir } = neighbour;
  const { protocol } = config.inbound;
  const spoken = protocolOf(neighbour, route);
  const where = `${dir}: ${route.kind} = ${route.value}`;
  if (spoken !== protocol)
    return [
      fail(
        `${where} speaks ${spoken} to us, and inbound.protocol is ${protocol}`,
        `set inbound.protocol: ${spoken}, or use another way in (docs/attach.md)`,
      ),
    ];
  const looked = isQueuedKind(route.kind) && route.destinations.some((each) => each.kind === 'tcp' && !each.literal);
  return looked
    ? [
        warn(
          `${where} has no brackets: Postfix looks for MX records of that name first`,
          `write the host in brackets: ${bracketed(route)}`,
        ),
      ]
    : [ok(`${where} leads to us`)];
}

const isQueuedKind = (kind: RouteKind): boolean => kind === 'relayhost' || kind === 'content_filter';

const bracketed = ({ destinations }: Route): string =>
  destinations.map((each) => (each.kind === 'tcp' ? `[${each.host}]:${each.port}` : each.path)).join(', ');

function protocolOf(neighbour: Neighbour, route: Route): Config['inbound']['protocol'] {
  switch (route.kind) {
    case 'smtpd_milters':
      return 'milter';
    case 'smtpd_proxy_filter':
      return 'smtp';
    case 'relayhost':
    case 'content_filter':
      return carrierPrefix(neighbour, route);
    default:
      return route.kind satisfies never;
  }
}
