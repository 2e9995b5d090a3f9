import type { Outgoing } from '../detach/interface.ts';
import type { Calls, Guard, NotificationWriter } from '../loopguard/interface.ts';
import type { HeaderBlock } from '../message/header-block.ts';
import type { Log } from '../observe/interface.ts';
import type { NextHop } from '../outbound/interface.ts';
import { mailboxOf, type PathCommand } from '../smtp/command.ts';
import { Failure, failureReply } from '../smtp/failures.ts';
import { describeReply, isPermanent, isPositive, type Reply } from '../smtp/reply.ts';
import { Delivery } from './delivery.ts';
import type { TransactionRecord } from './transaction-record.ts';

export interface MixedDeliveryOptions {
  readonly nextHop: NextHop;
  readonly calls: Calls;
  readonly guard: Guard;
  readonly notify: NotificationWriter;
  readonly log: Log;
}

/** A message that is ready to be sent, and its recipients, all of them accepted by the next hop. */
export interface MixedMessage {
  readonly mail: PathCommand;
  /** As it came in. */
  readonly header: HeaderBlock;
  /** What goes out before the body. */
  readonly head: Iterable<Buffer>;
  readonly outgoing: Outgoing;
  readonly passing: readonly { readonly command: PathCommand }[];
  readonly looping: readonly { readonly command: PathCommand }[];
  readonly delivery: Delivery;
  readonly record: TransactionRecord;
  readonly signal: AbortSignal;
}

/**
 * Some recipients loop, the others do not, and one reply cannot say both. So the message is delivered to the others,
 * and one notification tells the sender of the loop. Both are sent up to their final dots before either is completed.
 * DATA of the notification is said after the message was written: if its session waited in DATA meanwhile, the next hop
 * could time it out. If the notification fails after the message was accepted, `451` makes Postfix send everything
 * again: the others get a second copy, and nothing is lost. If the next hop refuses the notification permanently, every
 * retry would fail in the same way and deliver another copy. Then the reply is `554`, so that Postfix bounces; its text
 * tells the sender which recipients have the message.
 *
 * @returns the next hop's verdict on the message
 * @throws Failure notificationFailed, notificationRefused, and what a delivery throws
 */
export async function deliverMixed(
  { mail, header, head, outgoing, passing, looping, delivery, record, signal }: MixedMessage,
  { nextHop, calls, guard, notify, log }: MixedDeliveryOptions,
): Promise<readonly Reply[]> {
  const notification = notify({
    mail,
    header,
    recipients: looping.map(({ command }) => ({ command, reply: failureReply('loop', ` for ${command.path}`) })),
    now: Date.now(),
  });
  await delivery.restrict(passing);
  if (!notification) return delivery.complete(head, outgoing);
  const report = new Delivery({
    nextHop,
    log,
    signal,
    mail: notification.mail,
    id: record.id,
    xforward: new Map(),
    calls,
    extendChain: () => guard.extendChain(undefined),
  });
  try {
    const { rcpt, message } = notification;
    for (const taken of await orNotificationFailed(report.mail([rcpt]))) requireTaken(taken);
    const refusal = await delivery.write(head, outgoing);
    if (refusal) return [refusal];
    requireTaken(await orNotificationFailed(report.write([], { body: () => [message], bytesOut: message.length })));
    const replies = await delivery.finish();
    if (!replies.every(isPositive)) return replies;
    const [reported] = await orNotificationFailed(report.finish());
    if (reported && isPermanent(reported)) {
      const paths = looping.map(({ command }) => command.path).join(', ');
      const subject = ` for ${paths.slice(0, 400)}`;
      throw new Failure('notificationRefused', { subject, reason: describeReply(reported) });
    }
    requireTaken(reported ?? failureReply('internal'));
    record.notified(mailboxOf(rcpt.path));
    return replies;
  } finally {
    report.release();
  }
}

/** @throws Failure notificationFailed for a refusal of the notification; there is no reply to the text of a message */
function requireTaken(reply: Reply | undefined): void {
  if (reply && !isPositive(reply)) throw new Failure('notificationFailed', { reason: describeReply(reply) });
}

async function orNotificationFailed<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Failure('notificationFailed', { reason: Failure.from(error).message, cause: error });
  }
}
