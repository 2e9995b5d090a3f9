import { type Found, ok, warn } from '../finding.ts';
import type { Check, Context } from '../interface.ts';
import type { Neighbour } from '../postfix/neighbour.ts';
import type { Route } from '../postfix/routes.ts';
import { destinationLimit, isQueued, nameOf, numberOf } from '../postfix/values.ts';

/** As in course/relay.ts: further ones get 452, and Postfix takes them for deferred. */
const ourLimit = 1000;

/** How many recipients one transaction may have along the way. */
export const recipients: Check = {
  name: 'postfix-recipients',
  run: (context) => {
    const sent = context.neighbours.flatMap((neighbour) =>
      neighbour.toUs
        .filter(isQueued)
        .map((route) => ({ neighbour, ...destinationLimit('recipient_limit', { neighbour, route }) })),
    );
    return [
      ...context.neighbours.flatMap((neighbour) =>
        neighbour.toUs.filter(isQueued).map((route) => towardsUs(neighbour, route, context)),
      ),
      ...context.neighbours.flatMap((neighbour) =>
        fromUs(neighbour, Math.max(0, ...sent.map(({ value = 0 }) => value))),
      ),
    ];
  },
};

function towardsUs(neighbour: Neighbour, route: Route, { config: { inbound, outbound } }: Context): Found {
  const { name, value = 0 } = destinationLimit('recipient_limit', { neighbour, route });
  const says = `${neighbour.dir}: ${name} (${value === 0 ? 'no limit' : value})`;
  if (outbound.protocol === 'lmtp' && inbound.protocol === 'smtp' && value !== 1)
    return warn(
      `${says}: before an LMTP next hop we take one recipient in a transaction by SMTP, and the others wait for the next attempt (452 4.5.3)`,
      `set ${name} = 1 there, or let it speak LMTP to us (inbound.protocol: lmtp)`,
    );
  if (value === 0 || value > ourLimit)
    return warn(`${says} is above ours (${ourLimit}): the others wait for the next attempt`, `set ${name} = 500`);
  return ok(`${says} is within ours`);
}

function fromUs({ dir, fromUs }: Neighbour, most: number): readonly Found[] {
  return fromUs.map((listener) => {
    const limit = numberOf(listener.get('smtpd_recipient_limit')) ?? 0;
    const says = `${dir}: ${nameOf(listener)}: smtpd_recipient_limit (${limit})`;
    return limit !== 0 && limit < most
      ? warn(
          `${says} is below the ${most} recipients that the server before us sends in a transaction: the others wait for the next attempt`,
          `set smtpd_recipient_limit = 1000 there, or the destination_recipient_limit of the way to us to ${limit}`,
        )
      : ok(`${says} takes what comes`);
  });
}
