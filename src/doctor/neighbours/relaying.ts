import { fail, type Found, ok } from '../finding.ts';
import type { Check } from '../interface.ts';
import type { Neighbour } from '../postfix/neighbour.ts';
import type { Service } from '../postfix/service.ts';
import { entriesOf } from '../postfix/values.ts';
import { widestPublic } from '../wide-networks.ts';

/** Whether a neighbour relays for everybody. */
export const relaying: Check = {
  name: 'postfix-open-relay',
  run: ({ neighbours }) =>
    neighbours.flatMap((neighbour) => {
      const found = listeners(neighbour).flatMap((listener) => openness(neighbour, listener));
      return found.length > 0 ? found : [ok(`${neighbour.dir}: relays for those in mynetworks only`)];
    }),
};

const listeners = ({ services }: Neighbour): readonly Service[] =>
  services.filter(({ program, type }) => program === 'smtpd' && (type === 'inet' || type === 'pass'));

function openness({ dir }: Neighbour, listener: Service): readonly Found[] {
  const where = `${dir}: ${listener.name}`;
  const lists = ['smtpd_relay_restrictions', 'smtpd_recipient_restrictions'] as const;
  const verdicts = lists.map((name) => verdict(entriesOf(listener.get(name))));
  const found: Found[] = [];
  if (!verdicts.includes('closed'))
    found.push(
      fail(
        `${where} is an open relay: ${lists.map((name) => `${name} = ${listener.get(name)}`).join('; ')}`,
        'set smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination',
      ),
    );
  const wide = widestPublic(entriesOf(listener.get('mynetworks')));
  if (wide !== undefined && trustsNetworks(listener))
    found.push(fail(`${where} relays for all of ${wide} (mynetworks)`, 'name only your own networks in mynetworks'));
  return found;
}

/** What a list of restrictions says of a stranger's mail to a stranger. */
function verdict(restrictions: readonly string[]): 'closed' | 'open' {
  for (const each of restrictions) {
    if (each === 'permit') return 'open';
    if (/^(?:reject|defer|defer_if_permit|reject_unauth_destination|defer_unauth_destination)$/.test(each))
      return 'closed';
  }
  return 'open';
}

const trustsNetworks = (listener: Service): boolean =>
  ['smtpd_relay_restrictions', 'smtpd_recipient_restrictions'].some((name) =>
    entriesOf(listener.get(name)).includes('permit_mynetworks'),
  );
