import type { Config } from '../../config/config.ts';
import { fail, type Found, ok } from '../finding.ts';
import type { Check } from '../interface.ts';
import type { Neighbour } from '../postfix/neighbour.ts';
import { type RouteKind, routeBy } from '../postfix/routes.ts';
import { leadsToUs } from '../postfix/our-door.ts';
import type { Service } from '../postfix/service.ts';
import { entriesOf, nameOf } from '../postfix/values.ts';

/** Whether what we hand back to a Postfix comes to us again: the mail loop that this program exists to prevent. */
export const reinjection: Check = {
  name: 'postfix-reinjection',
  run: async ({ config, neighbours }) => {
    const found = await Promise.all(
      neighbours.map(async (neighbour) => [
        ...(await Promise.all(neighbour.fromUs.map((listener) => wayBack(neighbour, { listener, config })))).flat(),
        ...(await milterAgain(neighbour, config)),
      ]),
    );
    return found.flat();
  },
};

const kinds = ['content_filter', 'smtpd_proxy_filter', 'smtpd_milters'] as const;

interface NextHop {
  readonly listener: Service;
  readonly config: Config;
}

async function wayBack({ dir, toUs }: Neighbour, nextHop: NextHop): Promise<readonly Found[]> {
  const { listener } = nextHop;
  const back = (await Promise.all(kinds.map((kind) => leadsBack(kind, nextHop)))).flat();
  const found = back.map(({ kind, value }) =>
    fail(
      `${dir}: ${nameOf(listener)} is our next hop, and its ${kind} = ${value} sends the mail back to us: a mail loop`,
      `add "-o ${kind}=" to ${listener.name} in master.cf`,
    ),
  );
  const relayhost = toUs.find((route) => route.kind === 'relayhost');
  // A filter of its own takes the mail before relayhost is asked.
  const ownWay = listener.get('content_filter') !== '';
  if (relayhost && !ownWay)
    found.push(
      fail(
        `${dir}: ${nameOf(listener)} is our next hop, and relayhost = ${relayhost.value} sends the mail back to us: a mail loop`,
        `add "-o content_filter=direct:" to ${listener.name} and a transport "direct" as in postfix-a/single-postfix-relayhost, or name another server in outbound.nextHop`,
      ),
    );
  return found.length > 0 ? found : [ok(`${dir}: ${nameOf(listener)} does not send our mail back to us`)];
}

async function leadsBack(kind: Exclude<RouteKind, 'relayhost'>, { listener, config }: NextHop) {
  if (kind === 'smtpd_milters' && entriesOf(listener.get('receive_override_options')).includes('no_milters')) return [];
  const routes = routeBy(kind, { value: listener.get(kind), listener });
  const back = await Promise.all(
    routes.map(async ({ destinations }) =>
      (await Promise.all(destinations.map((each) => leadsToUs(each, config.inbound)))).some(Boolean),
    ),
  );
  return routes.filter((_, i) => back[i]);
}

/** As a Milter of main.cf we see what another filter brings back a second time. */
async function milterAgain({ dir, services, get, toUs }: Neighbour, config: Config): Promise<readonly Found[]> {
  const filter = get('content_filter');
  const everywhere = toUs.some(({ kind, listener }) => kind === 'smtpd_milters' && listener === undefined);
  if (!everywhere || filter === '') return [];
  const listeners = services.filter(
    (service) => service.type === 'inet' && service.program === 'smtpd' && service.get('content_filter') === '',
  );
  const again = await Promise.all(listeners.map((listener) => leadsBack('smtpd_milters', { listener, config })));
  return listeners
    .filter((_, i) => again[i]!.length > 0)
    .map((listener) =>
      fail(
        `${dir}: content_filter = ${filter} brings mail back to ${nameOf(listener)}, whose smtpd_milters shows it to us again: it would be refused as a loop`,
        `add "-o smtpd_milters=" to ${listener.name} in master.cf`,
      ),
    );
}
