/**
 * One mail transaction from MAIL to the last reply: the file to read first.
 *
 * MAIL and RCPT are passed on to the next hop as they arrive, and its replies are passed back. The message is read,
 * checked for loops and its large files are removed and stored. Only then is DATA sent: the next hop never waits for a
 * slow client or a slow upload, and `250` means that the next hop and the storage have everything. We never own a
 * message: before that `250` the sending Postfix keeps it, and after it the next hop does.
 */
import type { Client, Sent, Transactions } from '../inbound/interface.ts';
import type { Detacher, Incoming, Outgoing } from '../detach/interface.ts';
import type { Calls, Guard, Inspection, NotificationWriter } from '../loopguard/interface.ts';
import type { HeaderBlock } from '../message/header-block.ts';
import type { Log, Meter } from '../observe/interface.ts';
import type { NextHop } from '../outbound/interface.ts';
import { mailboxOf, paramValue, type PathCommand } from '../smtp/command.ts';
import { Failure, failureReply } from '../smtp/failures.ts';
import { isPositive, type Reply } from '../smtp/reply.ts';
import { deliverMixed } from './deliver-mixed.ts';
import { Delivery } from './delivery.ts';
import { messageHead } from './message-head.ts';
import { TransactionRecord } from './transaction-record.ts';

export interface RelayOptions {
  readonly hostname: string;
  readonly inboundProtocol: 'smtp' | 'lmtp';
  readonly outboundProtocol: 'smtp' | 'lmtp';
  readonly maxMessageSize: number;
  readonly nextHop: NextHop;
  readonly guard: Guard;
  readonly calls: Calls;
  readonly detacher: Detacher;
  readonly notify: NotificationWriter;
  readonly log: Log;
  readonly meter: Meter;
  /** Recipients of different classes never share a transaction: detaching is all or nothing for a message. */
  readonly policyClass: (mailbox: string) => string;
}

/** As in Postfix (smtpd_recipient_limit); RFC 5321 section 4.5.3.1.8 asks for 100. The client sends the others next. */
const maxRecipients = 1000;

/** Paths and parameters of all recipients, which stay in memory for as long as the message: 250 bytes for each. */
const maxRecipientBytes = 256 * 1024;

/** The reason with which every connection ends; one object serves all of them. */
const clientGone = new Failure('clientGone', { reason: 'client closed the connection before our reply' });

interface Recipient {
  readonly command: PathCommand;
  readonly mailbox: string;
}

/** RCPT commands, and the reply to each. */
interface Answered {
  readonly commands: readonly PathCommand[];
  readonly replies: readonly Reply[];
}

/** A message that is to be sent on: its header as it came, and what it has become. */
interface Finished {
  readonly header: HeaderBlock;
  readonly outgoing: Outgoing;
}

interface Open {
  readonly mail: PathCommand;
  readonly client: Client;
  readonly delivery: Delivery;
  readonly accepted: Recipient[];
  /** Of all accepted ones. */
  recipientBytes: number;
  readonly record: TransactionRecord;
  inData: boolean;
  policyClass: string | undefined;
}

/** The transactions of one client connection, one after the other. */
export class Relay implements Transactions {
  readonly #options: RelayOptions;
  /** Aborted when the client has gone. What is not committed by then is abandoned, and Postfix tries again. */
  readonly #gone = new AbortController();
  #open: Open | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  async mail(command: PathCommand, { client, rcpts }: Sent): Promise<readonly Reply[]> {
    const refuse = (reply: Reply): readonly Reply[] => [reply, ...rcpts.map(() => failureReply('badSequence'))];
    if (this.#open) return refuse(failureReply('badSequence'));
    const { guard, calls, log, nextHop } = this.#options;
    const record = new TransactionRecord(this.#options, { client, mail: command });
    const chain = paramValue(command, 'XDETACH');
    const failure = this.#refuseMail(command, { chain, record });
    if (failure) return refuse(record.refuse(failure));
    const delivery = new Delivery({
      nextHop,
      log,
      signal: this.#gone.signal,
      mail: command,
      client: client.address,
      id: record.id,
      xforward: client.xforward,
      calls,
      extendChain: () => guard.extendChain(chain),
    });
    try {
      await this.#refuseCircle(client, record);
      const open: Open = {
        mail: command,
        client,
        delivery,
        accepted: [],
        recipientBytes: 0,
        record,
        inData: false,
        policyClass: undefined,
      };
      const together = this.#mayAskTogether(open, rcpts);
      const [reply = failureReply('internal'), ...verdicts] = await delivery.mail(together ? rcpts : []);
      if (!isPositive(reply)) {
        delivery.release();
        return refuse(record.refused(reply));
      }
      this.#gone.signal.throwIfAborted();
      this.#open = open;
      if (!together) return [reply, ...(await this.rcpt(rcpts))];
      this.#takeNote(open, { commands: rcpts, replies: verdicts });
      return [reply, ...verdicts];
    } catch (error) {
      delivery.release();
      return refuse(record.refuse(Failure.from(error)));
    }
  }

  async rcpt(commands: readonly PathCommand[]): Promise<readonly Reply[]> {
    const open = this.#open;
    if (!open) return commands.map(() => failureReply('badSequence'));
    if (this.#mayAskTogether(open, commands)) {
      const replies = await this.#askNextHop(open, commands);
      this.#takeNote(open, { commands, replies });
      return replies;
    }
    const replies: Reply[] = [];
    for (const command of commands) {
      const refusal = this.#refuseRecipient(open, command);
      const [reply = failureReply('internal')] = refusal ? [refusal] : await this.#askNextHop(open, [command]);
      this.#takeNote(open, { commands: [command], replies: [reply] });
      replies.push(reply);
    }
    return replies;
  }

  refuseData(): Reply | undefined {
    if (!this.#open) return failureReply('badSequence');
    return this.#open.accepted.length === 0 ? failureReply('noRecipients') : undefined;
  }

  async data(body: AsyncIterable<Buffer>): Promise<readonly Reply[]> {
    const open = this.#open;
    if (!open) return [failureReply('badSequence')];
    open.inData = true;
    const client = open.client.address;
    let incoming: Incoming | undefined;
    let outgoing: Outgoing | undefined;
    let replies: readonly Reply[];
    try {
      incoming = await this.#options.detacher.receive(body, { signal: this.#gone.signal, client });
      open.record.header(incoming.header);
      const inspection = this.#inspect(open, incoming.header);
      const failure = this.#loopFailure(open, inspection);
      if (failure) {
        await incoming.discard();
        throw failure;
      }
      outgoing = await incoming.detach({
        client,
        reversePath: mailboxOf(open.mail.path),
        recipients: open.accepted.map((recipient) => recipient.mailbox),
      });
      open.record.outgoing(outgoing);
      replies = await this.#deliver(open, { header: incoming.header, outgoing, looping: loopingOf(inspection) });
    } catch (error) {
      const failure = Failure.from(error);
      open.record.failure(failure);
      replies = [failure.reply];
    } finally {
      this.#open = undefined;
      open.delivery.release();
      incoming?.release();
      await this.#dispose(outgoing);
    }
    const perRecipient = this.#options.inboundProtocol === 'lmtp' ? spread(replies, open.accepted.length) : replies;
    open.record.close(perRecipient);
    return perRecipient;
  }

  reset(): void {
    this.#abandon('reset by the client');
  }

  close(): void {
    this.#gone.abort(clientGone);
    // During DATA the transaction is closed by `data`, which learns of this through the signal.
    if (this.#open?.inData === false) this.#abandon('client closed the connection before its message');
  }

  #abandon(reason: string): void {
    this.#open?.record.abandoned(reason);
    this.#open?.delivery.release();
    this.#open = undefined;
  }

  /** Whatever goes wrong here changes no verdict: the message may be delivered already. */
  async #dispose(outgoing: Outgoing | undefined): Promise<void> {
    try {
      await outgoing?.dispose();
    } catch (error) {
      this.#options.log.error('spool-not-released', { err: error });
    }
  }

  /** Why we refuse MAIL ourselves, before the next hop is asked. */
  #refuseMail(
    command: PathCommand,
    { chain, record }: { readonly chain: string | undefined; readonly record: TransactionRecord },
  ): Failure | undefined {
    if (!this.#options.guard.admits(chain)) {
      record.loop({
        fence: 'chain',
        reason: 'this cluster waits for the reply to this very MAIL already',
        advice: 'next hops of relays lead in a circle: check outbound.nextHop of every cluster on the way',
      });
      return new Failure('callLoop');
    }
    if (!validBody(paramValue(command, 'BODY'))) return new Failure('syntax');
    const size = paramValue(command, 'SIZE') ?? '0';
    // RFC 1870 section 5: up to 20 digits.
    if (!/^\d{1,20}$/.test(size)) return new Failure('syntax');
    return Number(size) > this.#options.maxMessageSize ? new Failure('messageTooBig') : undefined;
  }

  /** @throws Failure when our own next hop caused this MAIL and cannot answer us before we answer it */
  async #refuseCircle({ xforward }: Client, record: TransactionRecord): Promise<void> {
    const reason = xforward.size > 0 && (await this.#options.calls.causeOf(xforward, this.#gone.signal));
    if (!reason) return;
    record.loop({
      fence: 'chain',
      reason,
      advice:
        'outbound.nextHop is the listener that hands mail to this filter (smtpd_proxy_filter): ' +
        'set it to the reinjection listener, the one with "-o smtpd_proxy_filter="',
    });
    throw new Failure('callLoop', { reason });
  }

  /** Whether we would refuse none of these recipients, whatever the next hop answers. If so, they are sent together. */
  #mayAskTogether(open: Open, commands: readonly PathCommand[]): boolean {
    if (commands.length + open.accepted.length > (this.#oneRecipient ? 1 : maxRecipients)) return false;
    if (commands.reduce((sum, command) => sum + bytesOf(command), open.recipientBytes) > maxRecipientBytes)
      return false;
    let { policyClass } = open;
    return commands.every(({ path }) => {
      const own = this.#options.policyClass(mailboxOf(path));
      policyClass ??= own;
      return own === policyClass;
    });
  }

  #refuseRecipient(open: Open, command: PathCommand): Reply | undefined {
    if (this.#oneRecipient && open.accepted.length > 0) return failureReply('oneRecipientPerTransaction');
    const isTooMuch = open.accepted.length > 0 && open.recipientBytes + bytesOf(command) > maxRecipientBytes;
    if (isTooMuch || open.accepted.length >= maxRecipients) return failureReply('tooManyRecipients');
    if (open.policyClass === undefined || this.#options.policyClass(mailboxOf(command.path)) === open.policyClass)
      return undefined;
    return failureReply('otherPolicyClass');
  }

  /** One reply to DATA cannot carry the verdicts of several LMTP recipients (RFC 2033 section 4.2). */
  get #oneRecipient(): boolean {
    return this.#options.inboundProtocol === 'smtp' && this.#options.outboundProtocol === 'lmtp';
  }

  async #askNextHop(open: Open, commands: readonly PathCommand[]): Promise<readonly Reply[]> {
    try {
      return await open.delivery.rcpt(commands);
    } catch (error) {
      const failure = Failure.from(error);
      open.record.failure(failure);
      return commands.map(() => failure.reply);
    }
  }

  #takeNote(open: Open, { commands, replies }: Answered): void {
    for (const [i, command] of commands.entries()) {
      const reply = replies[i] ?? failureReply('internal');
      open.record.recipient(command, reply);
      if (!isPositive(reply)) continue;
      const mailbox = mailboxOf(command.path);
      open.accepted.push({ command, mailbox });
      open.recipientBytes += bytesOf(command);
      open.policyClass ??= this.#options.policyClass(mailbox);
    }
  }

  #inspect(open: Open, header: HeaderBlock): Inspection {
    const mailboxes = open.accepted.map((recipient) => recipient.mailbox);
    const reversePath = mailboxOf(open.mail.path);
    return this.#options.guard.inspect(header, { recipients: mailboxes, reversePath, now: Date.now() });
  }

  /** The failure of the whole message, or undefined when at least one recipient passes. */
  #loopFailure(open: Open, inspection: Inspection): Failure | undefined {
    if (inspection.kind === 'refuse') {
      const mailboxes = open.accepted.map((recipient) => recipient.mailbox);
      open.record.loop({ fence: inspection.fence, reason: inspection.reason, mailboxes });
      return new Failure(inspection.failure, { reason: inspection.reason });
    }
    const looping = loopingOf(inspection);
    if (looping.size === 0) return undefined;
    const mailboxes = [...looping].map((i) => open.accepted[i]!.mailbox);
    open.record.loop({ fence: 'stamp', reason: inspection.reason, mailboxes });
    if (looping.size < open.accepted.length) {
      open.record.leftOut(looping);
      return undefined;
    }
    const subject = ` for ${open.accepted[0]!.command.path}`;
    return new Failure('loop', { subject, reason: inspection.reason });
  }

  /** @param message `looping`: indexes of the accepted recipients that it is not sent to */
  async #deliver(
    open: Open,
    { header, outgoing, looping }: Finished & { readonly looping: ReadonlySet<number> },
  ): Promise<readonly Reply[]> {
    const { delivery, accepted, client, record, mail } = open;
    const passing = accepted.filter((_, i) => !looping.has(i));
    const envelope = { recipients: passing.map(({ mailbox }) => mailbox), reversePath: mailboxOf(mail.path) };
    const head = messageHead({ client, id: record.id, header, rewritten: outgoing.header, envelope }, this.#options);
    if (this.#options.outboundProtocol === 'smtp' && looping.size > 0 && this.#options.inboundProtocol === 'smtp') {
      const leftOut = accepted.filter((_, i) => looping.has(i));
      const { signal } = this.#gone;
      return deliverMixed(
        { mail, header, head, outgoing, passing, looping: leftOut, delivery, record, signal },
        this.#options,
      );
    }
    if (looping.size > 0) await delivery.restrict(passing);
    const replies = await delivery.complete(head, outgoing);
    if (looping.size === 0) return replies;
    // An LMTP client gets a reply for each recipient, and writes the bounce itself.
    const verdicts = spread(replies, passing.length)[Symbol.iterator]();
    return accepted.map((recipient, i) =>
      looping.has(i)
        ? failureReply('loop', ` for ${recipient.command.path}`)
        : (verdicts.next().value ?? failureReply('internal')),
    );
  }
}

/** What a parameter takes in memory beside its bytes. */
const paramBytes = 32;

function bytesOf({ path, params }: PathCommand): number {
  return params.reduce((sum, param) => sum + param.length + paramBytes, path.length);
}

function loopingOf(inspection: Inspection): ReadonlySet<number> {
  if (inspection.kind !== 'pass') return new Set();
  return new Set(inspection.looping.flatMap((loops, i) => (loops ? [i] : [])));
}

/** One reply for all, or one each already. */
function spread(replies: readonly Reply[], count: number): readonly Reply[] {
  const [only] = replies;
  return replies.length === 1 && only ? Array.from({ length: count }, () => only) : replies;
}

/** RFC 6152; BINARYMIME needs CHUNKING, which we do not offer (RFC 3030). */
function validBody(value: string | undefined): boolean {
  return value === undefined || /^(7BIT|8BITMIME)$/i.test(value);
}
