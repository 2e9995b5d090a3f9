/**
 * The course of one message that comes by Milter: read it beside `relay.ts`.
 *
 * Postfix keeps the message and queues it only after our final answer, when its files are committed. There is no next
 * hop and no verdict for single recipients, so a message of which only some recipients loop passes. It is refused when
 * it comes back for those alone.
 */
import type { Detacher, Incoming, Outgoing } from '../detach/interface.ts';
import type { Client } from '../inbound/interface.ts';
import {
  MessageAborted,
  MilterLimitError,
  MilterTimeout,
  type Answer,
  type HeaderChange,
  type MilterCrowd,
  type MilterEnvelope,
  type MilterFilter,
  type MilterMessage,
  type MilterPath,
} from '../inbound/milter/interface.ts';
import type { Guard, Inspection } from '../loopguard/interface.ts';
import { HeaderBlock } from '../message/header-block.ts';
import { LongLines } from '../message/long-lines.ts';
import type { Log, Meter } from '../observe/interface.ts';
import { mailboxOf, type PathCommand } from '../smtp/command.ts';
import { Failure } from '../smtp/failures.ts';
import type { Reply } from '../smtp/reply.ts';
import { headerChanges, insertOnTop } from './milter-changes.ts';
import { TransactionRecord } from './transaction-record.ts';

export interface MilterCourseOptions {
  readonly guard: Guard;
  readonly detacher: Detacher;
  readonly log: Log;
  readonly meter: Meter;
}

/** We do not learn Postfix's own reply to the message; the log shows this one instead. */
const accepted: Reply = { code: 250, lines: ['2.0.0 accepted'] };

const emptyLine = Buffer.from('\r\n');

/**
 * Postfix breaks longer lines when it delivers the message (`smtp_line_length_limit`, `lmtp_line_length_limit`), after
 * we have seen it: what is delivered would not be what we recorded, and could not be restored.
 */
const maxLineBytes = 998;

/** What a Milter does with each message. */
export function createMilterFilter(options: MilterCourseOptions): MilterFilter {
  return {
    message: (message) => filter(message, options),
    failed: (error) => failureOf(error).reply,
    refused(envelope, error) {
      const failure = failureOf(error);
      const record = openRecord(envelope, options);
      record.failure(failure);
      record.close([failure.reply]);
      return failure.reply;
    },
  };
}

function openRecord(envelope: MilterEnvelope, options: MilterCourseOptions): TransactionRecord {
  const record = new TransactionRecord(options, { client: clientOf(envelope), mail: commandOf(envelope.mail) });
  for (const path of envelope.recipients) record.recipient(commandOf(path), accepted);
  return record;
}

async function filter(message: MilterMessage, options: MilterCourseOptions): Promise<Answer> {
  const { guard, detacher } = options;
  const mail = commandOf(message.mail);
  const record = openRecord(message, options);
  const client = message.client.address;
  const longLines = new LongLines(maxLineBytes);
  const envelope = {
    reversePath: mailboxOf(mail.path),
    recipients: message.recipients.map(({ path }) => mailboxOf(path)),
    client,
    keepWhole: () => (longLines.found ? `a line of the body is longer than ${maxLineBytes} bytes` : undefined),
  };
  let incoming: Incoming | undefined;
  try {
    const { crowd } = message;
    if (crowd) return await passWhole(message, { crowd, record, options });
    incoming = await detacher.receive(asStream(message, longLines), {
      signal: message.signal,
      client,
      room: message.room,
    });
    record.header(incoming.header);
    const now = Date.now();
    const inspection = guard.inspect(incoming.header, { ...envelope, now });
    const loops = loopFailure(inspection, { message, record });
    if (loops) {
      await incoming.discard();
      throw loops;
    }
    const outgoing = await incoming.detach(envelope);
    record.outgoing(outgoing);
    const stamp = guard.stamp(incoming.header, { ...envelope, now });
    return accept({ incoming, outgoing, stamp }, { record, log: options.log });
  } catch (error) {
    incoming?.release();
    message.room.release();
    const failure = failureOf(message.signal.aborted ? message.signal.reason : error);
    record.failure(failure);
    record.close([failure.reply]);
    throw failure;
  }
}

/**
 * A message with more recipients than are kept passes as it is, its hops counted. It has no stamp: one for some of its
 * recipients would not be found again. A mail server that sends it back to us does so in several transactions, which
 * are stamped (`default_destination_recipient_limit` of Postfix is 50).
 */
async function passWhole(
  message: MilterMessage,
  {
    crowd,
    record,
    options,
  }: { readonly crowd: MilterCrowd; readonly record: TransactionRecord; readonly options: MilterCourseOptions },
): Promise<Answer> {
  const { reason, recipientCount } = crowd;
  record.moreRecipients(recipientCount - message.recipients.length);
  const header = HeaderBlock.parse(message.header);
  record.header(header);
  const reversePath = mailboxOf(message.mail.path);
  const inspection = options.guard.inspect(header, { reversePath, recipients: [], now: Date.now() });
  message.room.release();
  await thrownAway(message.body);
  const loops = loopFailure(inspection, { message, record });
  if (loops) throw loops;
  options.log.info('passed-whole', { reason });
  return {
    verdict: { kind: 'accept', headerChanges: [] },
    done(written) {
      close(record, written);
      return Promise.resolve();
    },
  };
}

async function thrownAway(body: MilterMessage['body']): Promise<void> {
  const chunks = body[Symbol.asyncIterator]();
  while ((await chunks.next()).done !== true);
}

/** The message as bytes, as it would have come over SMTP. */
async function* asStream(
  { header, body }: MilterMessage,
  longLines: LongLines,
): AsyncGenerator<Buffer, void, undefined> {
  yield header;
  yield emptyLine;
  for await (const chunk of body) {
    longLines.push(chunk);
    yield chunk;
  }
}

/** The failure of the whole message; undefined when at least one recipient passes. */
function loopFailure(
  inspection: Inspection,
  { message: { recipients }, record }: { readonly message: MilterEnvelope; readonly record: TransactionRecord },
): Failure | undefined {
  const mailboxes = recipients.map(({ path }) => mailboxOf(path));
  const { reason } = inspection;
  if (inspection.kind === 'refuse') {
    record.loop({ fence: inspection.fence, reason, mailboxes });
    return new Failure(inspection.failure, { reason });
  }
  if (inspection.looping.length === 0 || !inspection.looping.every((loops) => loops)) return undefined;
  record.loop({ fence: 'stamp', reason, mailboxes });
  return new Failure('loop', { subject: ` for ${recipients[0]!.path}`, reason });
}

interface Finished {
  readonly incoming: Incoming;
  readonly outgoing: Outgoing;
  readonly stamp: string;
}

function accept(
  { incoming, outgoing, stamp }: Finished,
  { record, log }: { readonly record: TransactionRecord; readonly log: Log },
): Answer {
  const changed = outgoing.files.length > 0;
  const changes: HeaderChange[] = changed
    ? [...headerChanges(incoming.header, HeaderBlock.parse(outgoing.header))]
    : [];
  changes.push(insertOnTop(stamp));
  return {
    verdict: { kind: 'accept', headerChanges: changes, body: changed ? bodyOf(outgoing) : undefined },
    async done(written) {
      close(record, written);
      incoming.release();
      try {
        await outgoing.dispose();
      } catch (error) {
        log.error('spool-not-released', { err: error });
      }
    },
  };
}

function close(record: TransactionRecord, written: boolean): void {
  const failure = new Failure('clientGone', { reason: 'mail server did not wait for the end of the filter' });
  if (!written) record.failure(failure);
  record.close([written ? accepted : failure.reply]);
}

/** Without the empty line, which is the mail server's. */
async function* bodyOf(outgoing: Outgoing): AsyncGenerator<Buffer, void, undefined> {
  let skip = emptyLine.length;
  for await (const chunk of outgoing.body()) {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}

/** Also covers errors of the Milter server itself: a limit that was reached, a verdict that came too late. */
function failureOf(error: unknown): Failure {
  if (error instanceof MilterLimitError) return Failure.from(error, 'headerTooLarge');
  if (error instanceof MilterTimeout) return Failure.from(error, 'tooSlow');
  return Failure.from(error, error instanceof MessageAborted ? 'clientGone' : 'internal');
}

const commandOf = ({ path, parameters }: MilterPath): PathCommand => ({ path, params: parameters });

const clientOf = ({ client, macros }: MilterEnvelope): Client => ({
  address: client.address,
  helo: client.helo,
  protocol: 'MILTER',
  xforward: new Map(macros.has('i') ? [['IDENT', macros.get('i')!]] : []),
});
