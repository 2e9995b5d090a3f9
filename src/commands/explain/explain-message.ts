import type { Config } from '../../config/config.ts';
import { inspect, type Inspection } from '../../detach/inspect.ts';
import { isExempt, optsOut } from '../../detach/policy.ts';
import { Spool } from '../../detach/spool/spool.ts';
import type { HeaderBlock } from '../../message/header-block.ts';
import { CommandError, ExitStatus } from '../exit-status.ts';
import { differences } from './compare.ts';
import type { ExplainedReading, ExplainedRecipient, Explanation } from './explanation.ts';
import { type MailReading, readAsMailProgram } from './mail-program.ts';
import type { MessageFile } from './message-file.ts';
import { findNotice } from './notice-places.ts';
import { partTree } from './part-tree.ts';
import { refusalOf } from './refusal.ts';
import { rehearse, type Rehearsal } from './rehearsal.ts';

export interface ExplainOptions {
  readonly config: Config;
  /** Mailboxes as byte strings, '' for the null reverse-path; undefined: as the message says. */
  readonly from: string | undefined;
  readonly to: readonly string[];
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** Larger messages are not compared with a mail program's reading. */
const maxComparedBytes = 128 * 1024 * 1024;

/** That reading holds all texts of the message in memory, each of them several times: 25 bytes for each of theirs. */
const maxTextBytes = 16 * 1024 * 1024;

/** Explains what would happen to a message, and why. Nothing is stored or sent. */
export async function explainMessage(message: MessageFile, options: ExplainOptions): Promise<Explanation> {
  const { config, directory } = options;
  const spool = new Spool({ directory, maxBytes: config.spool.maxBytes, meter: { spool: () => undefined } });
  const inspection = await inspect(message.read(), { rules: config.detach, spool });
  // Some random lines look like fields, and a message may begin with a line of an mbox file.
  if (inspection.fields <= inspection.brokenLines) {
    throw new CommandError(ExitStatus.data, 'this is no message: it does not begin with header fields');
  }
  const refused = await refusalOf(message, config.inbound);
  if (refused) throw new CommandError(ExitStatus.data, `serve refuses this message: ${refused}`);
  const from = options.from ?? senderOf(inspection.header);
  const to = options.to.map((address) => explainRecipient(address, config));
  // Exempt recipients get the message in a separate transaction. The explanation is about the copy of the others.
  const recipients = to.filter(({ exempt }) => !exempt).map(({ address }) => address);
  const isForAll = to.length > 0 && recipients.length === 0;
  const envelope = { reversePath: from, recipients: isForAll ? options.to : recipients };
  const run = await rehearse(message, { ...options, envelope });
  const detached = run.files > 0;
  const urls = detached ? run.urls : new Map<string, string>();
  const reason = detached ? null : wholeReason(inspection, { from, config, run, isForAll });
  return {
    from: text(from),
    to: to.map(({ address, exempt }) => ({ address: text(address), exempt })),
    detached,
    reason,
    bytesBefore: run.bytesIn,
    bytesAfter: run.bytesOut,
    parts: partTree(inspection.leaves, { urls, whole: reason }),
    notice: detached ? { texts: run.notices, places: await findPlaces(run, config) } : null,
    mailProgram: await compareReadings(message, { run, urls, inspection }),
    log: run.log,
  };
}

const text = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');

/** The most likely reverse-path: Return-Path if delivery added one, otherwise From. */
function senderOf(header: HeaderBlock): string {
  const value = header.first('return-path') ?? header.first('from') ?? '';
  const address = /<([^<>]*)>[^<>]*$/.exec(value)?.[1] ?? value;
  return address.trim();
}

function explainRecipient(address: string, config: Config): ExplainedRecipient {
  const rules = { ...config.detach, includeSenders: [], exemptSenders: [] };
  return { address, exempt: isExempt({ reversePath: 'a@invalid', recipients: [address] }, rules) };
}

/** Why nothing is detached although some parts qualify; null: no part qualifies. */
function wholeReason(
  { header, leaves, brokenLines }: Inspection,
  { from, config, run, isForAll }: { from: string; config: Config; run: Rehearsal; isForAll: boolean },
): string | null {
  if (from === '') return 'null reverse-path';
  if (isExempt({ reversePath: from, recipients: [] }, config.detach)) return 'exempt sender';
  if (optsOut(header, from, config.detach)) return 'opted out';
  if (isForAll) return 'exempt recipients';
  if (brokenLines > 0) return 'unclear header';
  if (leaves.every(({ reason }) => reason !== undefined)) return null;
  if (run.log.length > 0) return 'see log';
  return run.urls.size > 0 ? 'saves nothing' : 'other rule';
}

function findPlaces({ after, urls, pages }: Rehearsal, config: Config): ReturnType<typeof findNotice> {
  const links = new Set([...urls.values(), ...pages.values()]);
  return findNotice(after.read(), { urls: [...links], maxDepth: config.detach.maxDepth });
}

async function compareReadings(
  message: MessageFile,
  { run, urls, inspection }: { run: Rehearsal; urls: ReadonlyMap<string, string>; inspection: Inspection },
): Promise<ExplainedReading> {
  const texts = inspection.leaves.filter(({ reason }) => reason === 'text');
  const textBytes = texts.reduce((sum, { bytes }) => sum + bytes, 0);
  const tooMuch =
    message.size > maxComparedBytes
      ? `the message is larger than ${maxComparedBytes} bytes`
      : textBytes > maxTextBytes
        ? `its texts are larger than ${maxTextBytes} bytes`
        : undefined;
  if (tooMuch !== undefined) return notCompared(tooMuch);
  const before = await readUnlessTooMuch(message);
  if (typeof before === 'string') return notCompared(before);
  const after = await readUnlessTooMuch(run.after);
  if (typeof after === 'string') return { skipped: null, before, after: null, differences: [`afterwards ${after}`] };
  const detached = inspection.leaves.filter(({ section }) => urls.has(section));
  const found = differences({ before, after, detached, urls: [...urls.values()], pages: run.pages });
  return { skipped: null, before, after, differences: found };
}

const notCompared = (skipped: string): ExplainedReading => ({ skipped, before: null, after: null, differences: [] });

/** @returns why the library does not read it: it has limits of its own, such as a thousand parts beside one another */
async function readUnlessTooMuch(message: MessageFile): Promise<MailReading | string> {
  try {
    return await readAsMailProgram(message.read());
  } catch (error) {
    if (!(error instanceof Error) || 'syscall' in error) throw error;
    return `the library that reads as a mail program does (mailparser) refuses the message: ${error.message}`;
  }
}
