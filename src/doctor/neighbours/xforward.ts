import { type Found, ok, warn } from '../finding.ts';
import type { Check, Context } from '../interface.ts';
import type { Neighbour } from '../postfix/neighbour.ts';
import type { Service } from '../postfix/service.ts';
import { nameOf } from '../postfix/values.ts';

/** Whether the address of the original client gets through: for the log behind us and, before the queue, against circles. */
export const xforward: Check = {
  name: 'postfix-xforward',
  run: (context) => [
    ...context.neighbours.flatMap((neighbour) => toUs(neighbour, context)),
    ...context.neighbours.flatMap((neighbour) => neighbour.fromUs.map((listener) => fromUs(neighbour, listener))),
  ],
};

function toUs({ dir, toUs }: Neighbour, { config: { inbound } }: Context): readonly Found[] {
  if (!toUs.some(({ kind }) => kind === 'smtpd_proxy_filter')) return [];
  return inbound.xforwardHosts.length > 0
    ? [ok(`${dir}: inbound.xforwardHosts lets it name its clients`)]
    : [
        warn(
          `${dir}: it is a before-queue filter, and inbound.xforwardHosts is empty: the log does not show who sent a message, and a circle is seen late`,
          'set inbound.xforwardHosts: ["127.0.0.0/8"], or the address that this Postfix comes from',
        ),
      ];
}

function fromUs({ dir }: Neighbour, listener: Service): Found {
  const permitted = listener.get('smtpd_authorized_xforward_hosts');
  const where = `${dir}: ${nameOf(listener)}`;
  if (permitted !== '') return ok(`${where} takes XFORWARD from ${permitted}`);
  return warn(
    `${where} permits no XFORWARD: rules for clients and the log see our address for all mail`,
    `set smtpd_authorized_xforward_hosts there to the address that we come from`,
  );
}
