import { randomBytes } from 'node:crypto';
import type { Outgoing } from '../detach/interface.ts';
import type { Client } from '../inbound/interface.ts';
import type { Fence, Guard } from '../loopguard/interface.ts';
import type { HeaderBlock } from '../message/header-block.ts';
import type { Log, Meter, Verdict } from '../observe/interface.ts';
import { domainOf } from '../smtp/address.ts';
import type { PathCommand } from '../smtp/command.ts';
import { failureReply, type Failure, type FailureName } from '../smtp/failures.ts';
import { describeReply, isPositive, isTransient, wireToText, type Reply } from '../smtp/reply.ts';
import { availableAttribute } from '../smtp/xforward.ts';

type Outcome = Parameters<Meter['transaction']>[0];

/** Failures of a part of the system, not of a message. Loops have lines of their own. */
const outages: ReadonlySet<FailureName> = new Set([
  ...(['nextHopUnreachable', 'nextHopLost', 'nextHopTimeout', 'nextHopProtocol', 'nextHopTls', 'nextHopAuth'] as const),
  ...(['nextHopBusy', 'notificationFailed'] as const),
  ...(['storageFailed', 'storageFull', 'spoolFull', 'tooSlow', 'internal'] as const),
]);

const processPrefix = randomBytes(4).toString('hex');
let counter = 0;

/** Recipients in a log line. That is enough to find a message by; further ones are only counted. */
const maxLoggedRecipients = 100;

const verdicts: readonly Verdict[] = ['accepted', 'deferred', 'refused'];

/** By the first digit of the reply. */
const verdictOf = (reply: string): Verdict =>
  reply.startsWith('2') ? 'accepted' : reply.startsWith('4') ? 'deferred' : 'refused';

export interface LoopMet {
  readonly fence: Fence;
  readonly reason: string;
  /** The recipients that loop: byte strings. */
  readonly mailboxes?: readonly string[];
  readonly advice?: string;
}

/** Collects what is known of one transaction, and logs it in one closing line when the transaction ends. */
export class TransactionRecord {
  /** Appears in our Received field and in every log line about this transaction. */
  readonly id: string;
  readonly #cluster: string;
  readonly #log: Log;
  readonly #meter: Meter;
  readonly #started = performance.now();
  readonly #client: Client;
  readonly #mail: PathCommand;
  readonly #recipients: { readonly path: string; reply: string }[] = [];
  readonly #acceptedAt: number[] = [];
  #recipientCount = 0;
  #acceptedCount = 0;
  /** Indexes of the accepted recipients that a notification reports on, instead of the reply. */
  #looping: readonly number[] = [];
  #header: HeaderBlock | undefined;
  #outgoing: Pick<Outgoing, 'bytesIn' | 'bytesOut' | 'files'> | undefined;
  #failure: Failure | undefined;
  #closed = false;

  constructor(
    room: { readonly guard: Guard; readonly log: Log; readonly meter: Meter },
    { client, mail }: { readonly client: Client; readonly mail: PathCommand },
  ) {
    counter += 1;
    this.id = `${processPrefix}${counter.toString(36).toUpperCase()}`;
    this.#cluster = room.guard.cluster;
    this.#log = room.log;
    this.#meter = room.meter;
    this.#client = client;
    this.#mail = mail;
  }

  recipient(command: PathCommand, reply: Reply): void {
    this.#recipientCount += 1;
    if (isPositive(reply)) this.#acceptedCount += 1;
    if (this.#recipients.length >= maxLoggedRecipients) return;
    if (isPositive(reply)) this.#acceptedAt.push(this.#recipients.length);
    this.#recipients.push({ path: wireToText(command.path), reply: describeReply(reply) });
  }

  /** Accepted as well, and not named in the log. */
  moreRecipients(count: number): void {
    this.#recipientCount += count;
    this.#acceptedCount += count;
  }

  header(header: HeaderBlock): void {
    this.#header = header;
  }

  outgoing({ bytesIn, bytesOut, files }: Outgoing): void {
    this.#outgoing = { bytesIn, bytesOut, files };
    this.#meter.bytes('in', bytesIn);
    this.#meter.bytes('out', bytesOut);
  }

  failure(failure: Failure): void {
    this.#failure = failure;
    if (failure.kind === 'storageFailed' || failure.kind === 'storageFull') this.#meter.storageFailure();
    if (failure.kind === 'mirror') this.loop({ fence: 'mirror', reason: failure.message });
  }

  /** A line of its own for every loop that was found, besides the closing line: operators search for these. */
  loop({ fence, reason, mailboxes = [], advice }: LoopMet): void {
    this.#meter.loop(fence);
    // Relays that are configured wrongly stop all mail until somebody corrects them.
    const level = fence === 'mirror' || fence === 'chain' ? 'error' : 'warn';
    this.#log[level]('loop-refused', {
      id: this.id,
      cluster: this.#cluster,
      fence,
      reason,
      recipientDomains: [...new Set(mailboxes.map((mailbox) => wireToText(domainOf(mailbox))))],
      client: this.#client.address,
      ...this.#identity(),
      advice,
    });
  }

  /** The message is sent on without these accepted recipients. */
  leftOut(looping: Iterable<number>): void {
    this.#looping = [...looping];
  }

  notified(mailbox: string): void {
    this.#log.info('loop-notification', { id: this.id, to: wireToText(mailbox), ...this.#identity() });
  }

  /** We refused MAIL ourselves. */
  refuse(failure: Failure): Reply {
    this.failure(failure);
    return this.refused(failure.reply);
  }

  /** The next hop refused MAIL. */
  refused(reply: Reply): Reply {
    this.#end(isTransient(reply) ? 'deferred' : 'refused', { reply });
    return reply;
  }

  /** The message was answered. */
  close(replies: readonly Reply[]): void {
    replies.forEach((reply, i) => {
      const at = replies.length === 1 ? this.#acceptedAt : this.#acceptedAt.slice(i, i + 1);
      for (const index of at) this.#recipients[index]!.reply = describeReply(reply);
    });
    const good = replies.filter(isPositive).length;
    if (replies.length === 1 && good === 1) this.#markLeftOut();
    const refusedBefore = this.#looping.length > 0 || this.#recipientCount > this.#acceptedCount;
    const outcome: Outcome =
      good === replies.length
        ? refusedBefore
          ? 'partial'
          : 'delivered'
        : good > 0
          ? 'partial'
          : this.#failure?.kind === 'clientGone'
            ? 'lost'
            : replies.some(isTransient)
              ? 'deferred'
              : 'refused';
    this.#end(outcome, { reply: replies[0] });
  }

  /** The client ended the transaction before it sent a message. */
  abandoned(reason: string): void {
    const everyRefused = this.#recipientCount > 0 && this.#acceptedCount === 0;
    this.#end(everyRefused ? 'refused' : 'lost', { reason });
  }

  /** Undefined fields are left out of the line. */
  #end(outcome: Outcome, { reply, reason }: { readonly reply?: Reply | undefined; readonly reason?: string }): void {
    if (this.#closed) return;
    this.#closed = true;
    const seconds = (performance.now() - this.#started) / 1000;
    this.#count(outcome, seconds);
    const { messageId, queueId } = this.#identity();
    const outage = this.#failure !== undefined && outages.has(this.#failure.kind);
    this.#log[outage ? 'warn' : 'info']('transaction', {
      id: this.id,
      outcome,
      messageId,
      queueId,
      client: this.#client.address,
      from: wireToText(this.#mail.path),
      recipients: this.#recipients,
      recipientCount: this.#recipientCount > this.#recipients.length ? this.#recipientCount : undefined,
      bytesIn: this.#outgoing?.bytesIn,
      bytesOut: this.#outgoing?.bytesOut,
      files: this.#outgoing?.files,
      reply: reply && describeReply(reply),
      reason: this.#failure?.message ?? reason,
      failure: this.#failure?.kind,
      seconds: Math.round(seconds * 1000) / 1000,
    });
  }

  #count(outcome: Outcome, seconds: number): void {
    this.#meter.transaction(outcome, seconds);
    const counts: Record<Verdict, number> = { accepted: 0, deferred: 0, refused: 0 };
    for (const { reply } of this.#recipients) counts[verdictOf(reply)] += 1;
    // Recipients that are not logged one by one: all accepted ones got the same reply as the first accepted one.
    const unlogged = this.#acceptedCount - this.#acceptedAt.length;
    const first = this.#recipients[this.#acceptedAt[0] ?? -1];
    if (first) counts[verdictOf(first.reply)] += unlogged;
    counts.refused += this.#recipientCount - this.#recipients.length - unlogged;
    for (const verdict of verdicts) if (counts[verdict] > 0) this.#meter.recipients(verdict, counts[verdict]);
    if (outcome === 'deferred') this.#meter.deferred(this.#failure?.kind ?? 'nextHop');
    const { bytesIn = 0, bytesOut = 0, files = [] } = this.#outgoing ?? {};
    if (files.length > 0 && bytesIn > bytesOut) this.#meter.saved((bytesIn - bytesOut) * counts.accepted);
  }

  #markLeftOut(): void {
    for (const i of this.#looping) {
      const recipient = this.#recipients[this.#acceptedAt[i] ?? -1];
      if (recipient) recipient.reply = describeReply(failureReply('loop'));
    }
  }

  /** The name of this message in the log of the sending Postfix. */
  #identity(): { readonly messageId: string | undefined; readonly queueId: string | undefined } {
    const messageId = this.#header?.first('message-id');
    const received = this.#header?.first('received') ?? '';
    // Other instances of this program append a dot and the ids of their transactions.
    const queueId =
      availableAttribute(this.#client.xforward, 'IDENT')?.split('.')[0] ??
      /\bid[ \t]+([A-Za-z0-9]{1,64})/.exec(received)?.[1];
    return {
      messageId: messageId === undefined ? undefined : wireToText(messageId).slice(0, 998),
      queueId: queueId === undefined ? undefined : wireToText(queueId),
    };
  }
}
