import { type Found, ok, warn } from '../finding.ts';
import type { Check, Context } from '../interface.ts';
import type { Neighbour } from '../postfix/neighbour.ts';
import type { Route } from '../postfix/routes.ts';
import { carrierPrefix, carrierValue, entriesOf, isQueued } from '../postfix/values.ts';

/** Whether sessions with us are kept for the next message where Postfix was told to keep them. */
export const connectionCache: Check = {
  name: 'postfix-cache',
  run: (context) =>
    context.neighbours.flatMap((neighbour) =>
      neighbour.toUs.filter(isQueued).flatMap((route) => along(neighbour, route, context)),
    ),
};

function along(neighbour: Neighbour, route: Route, { config }: Context): readonly Found[] {
  const prefix = carrierPrefix(neighbour, route);
  const get = carrierValue(neighbour, route);
  const name = `${prefix}_connection_cache_destinations`;
  const entries = entriesOf(get(name));
  const hosts = route.destinations.flatMap((each) => (each.kind === 'tcp' ? [each.host] : []));
  const says = `${neighbour.dir}: ${name} = ${entries.join(' ')}`;
  if (!namesUs(entries, hosts)) return withoutEffect(entries, hosts).map((host) => compared({ says, name, host }));
  const level = get(`${prefix}_tls_security_level`);
  const encrypted = config.inbound.tls.mode !== 'off' && level !== '' && level !== 'none';
  if (encrypted && get(`${prefix}_tls_connection_reuse`) !== 'yes')
    return [
      warn(
        `${says} keeps no session with TLS: each message opens one of its own`,
        `set ${prefix}_tls_connection_reuse = yes, and have the service tlsproxy in master.cf`,
      ),
    ];
  return [ok(`${says} keeps sessions with us`)];
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Postfix compares with the host of the next hop, without brackets and port (postconf(5)). */
const namesUs = (entries: readonly string[], hosts: readonly string[]): boolean =>
  entries.some((entry) => hosts.some((host) => same(entry, host)));

/** Hosts of ours that stand there in a form that is never equal to them. */
const withoutEffect = (entries: readonly string[], hosts: readonly string[]): readonly string[] =>
  hosts.filter((host) => entries.some((entry) => same(entry.replace(/^\[([^\]]+)\](?::.*)?$/, '$1'), host)));

const compared = ({ says, name, host }: Readonly<Record<'says' | 'name' | 'host', string>>): Found =>
  warn(
    `${says} has no effect: Postfix compares it with the host alone, so each message opens a session while mail is scarce`,
    `set ${name} = ${host}`,
  );
