import { fail, type Found, ok, warn } from '../finding.ts';
import type { Check, Context } from '../interface.ts';
import type { Neighbour } from '../postfix/neighbour.ts';
import { numberOf, sizeLimitOf } from '../postfix/values.ts';

/** Size limits along the way: each server must take what the one before it has taken. */
export const size: Check = {
  name: 'postfix-size',
  run(context) {
    const { neighbours } = context;
    const senders = neighbours.filter(({ toUs }) => toUs.length > 0);
    const takers = neighbours.filter(({ fromUs }) => fromUs.length > 0);
    return [
      ...senders.map((sender) => againstOurs(sender, context)),
      ...takers.flatMap((taker) => againstSenders(taker, senders, context)),
      ...neighbours.flatMap(againstMailboxes),
    ];
  },
};

const shown = (bytes: number): string => (bytes === Infinity ? 'no limit' : String(bytes));

function againstOurs(sender: Neighbour, { config: { inbound } }: Context): Found {
  const theirs = sizeLimitOf(sender);
  const says = `${sender.dir}: message_size_limit (${shown(theirs)})`;
  if (theirs <= inbound.maxMessageSize) return ok(`${says} is within inbound.maxMessageSize`);
  return fail(
    `${says} is above inbound.maxMessageSize (${inbound.maxMessageSize}): larger mail is taken there and bounces with 552 here`,
    `set message_size_limit = ${inbound.maxMessageSize} there, or raise inbound.maxMessageSize`,
  );
}

function againstSenders(taker: Neighbour, senders: readonly Neighbour[], { config }: Context): readonly Found[] {
  const theirs = sizeLimitOf(taker);
  const others = senders.filter((each) => each !== taker);
  const largest = Math.max(...others.map(sizeLimitOf));
  const advice = 'raise message_size_limit there: our trace fields are added to what the first server has taken';
  if (others.length > 0 && theirs < largest)
    return [
      fail(
        `${taker.dir}: message_size_limit (${shown(theirs)}) is below that of ${others[0]!.dir} (${shown(largest)}): mail without large files bounces with 552`,
        advice,
      ),
    ];
  if (others.length === 0 && !senders.includes(taker) && theirs < config.inbound.maxMessageSize)
    return [
      warn(
        `${taker.dir}: message_size_limit (${shown(theirs)}) is below inbound.maxMessageSize (${config.inbound.maxMessageSize})`,
        advice,
      ),
    ];
  return [ok(`${taker.dir}: message_size_limit (${shown(theirs)}) takes what comes through us`)];
}

/** Postfix's local(8) and virtual(8) refuse to work when a mailbox may hold less than a message. */
function againstMailboxes({ dir, get }: Neighbour): readonly Found[] {
  const message = numberOf(get('message_size_limit')) ?? 0;
  const used = [
    ...(get('mydestination') === '' ? [] : ['mailbox_size_limit']),
    ...(get('virtual_mailbox_domains') !== '' && get('virtual_transport') === 'virtual'
      ? ['virtual_mailbox_limit']
      : []),
  ];
  return used.flatMap((name) => {
    const mailbox = numberOf(get(name)) ?? 0;
    return mailbox === 0 || (message !== 0 && mailbox >= message)
      ? []
      : [
          fail(
            `${dir}: ${name} (${mailbox}) is below message_size_limit (${shown(message || Infinity)}): Postfix delivers no mail to its mailboxes`,
            `set ${name} = 0, or above message_size_limit`,
          ),
        ];
  });
}
