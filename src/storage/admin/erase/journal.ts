/**
 * `index/erasing/<token>`: what an `erase` has begun, so that the next one with the same arguments finds it and
 * completes it. It is written when the link is marked and before anything is deleted, since index entries and records
 * of recipients go before the link; it is deleted last.
 *
 * It counts only while its link is marked or gone. Otherwise the message came again after the `erase` had crashed, and
 * its link is a new one.
 */
import { contend } from '../../contention.ts';
import { DamagedRecord } from '../../damaged-record.ts';
import { erasingEntry, erasingIndex, lastSegment } from '../../index-names.ts';
import type { Link } from '../../interface.ts';
import { parseLink } from '../../link-record.ts';
import { readLink } from '../../links.ts';
import { type AdminContext, inParallel, listed, request } from '../context.ts';
import { type Filter, findLink, findLinks, type Found, matches } from '../find.ts';
import { deleteIfUnchanged } from '../judged.ts';
import { transactionsOf } from '../message-blobs.ts';
import { readTransactionAt, recipientKeys } from '../recipients.ts';
import type { MarkedLink } from './mark-links.ts';

interface Journal {
  /** As it was when it was marked. */
  readonly link: Link;
  /** Keyed hashes of those who got the link. */
  readonly recipients: readonly string[];
}

/** Writes the journals of marked links of one message. */
export async function openJournals(context: AdminContext, marked: readonly MarkedLink[]): Promise<void> {
  const recipients = await recipientsOf(context, marked[0]!.link);
  for (const { token, link, etag } of marked) {
    if (etag !== undefined) await writeJournal(context, token, { link, recipients: recipients.get(token) ?? [] });
  }
}

/** Who got which link of the message. */
async function recipientsOf(context: AdminContext, message: Link): Promise<ReadonlyMap<string, readonly string[]>> {
  const byToken = new Map<string, string[]>();
  for await (const { name } of transactionsOf(context, message)) {
    const { tokens = [], recipients = [] } = (await readTransactionAt(context, name))?.record ?? {};
    for (const token of tokens) byToken.set(token, [...(byToken.get(token) ?? []), ...recipients]);
  }
  return byToken;
}

/** Recipients that an earlier run found stay: it may have deleted their records. */
async function writeJournal(context: AdminContext, token: string, { link, recipients }: Journal): Promise<void> {
  const { blobs } = context;
  const name = erasingEntry(token);
  const what = request(context, 'a journal of erase');
  await contend(what.what, async () => {
    const found = await blobs.read(name, what);
    const known = found ? parseJournal(found.bytes, name).recipients : [];
    const journal = { v: 1, link, recipients: [...new Set([...known, ...recipients])] };
    const blob = { ...what, content: Buffer.from(JSON.stringify(journal)), metadata: {} };
    return (await (found ? blobs.replace(name, { ...blob, etag: found.etag }) : blobs.create(name, blob))) || undefined;
  });
}

/** Deletes the journal, unless another `erase` has begun with the link. */
export async function closeJournal(context: AdminContext, token: string): Promise<void> {
  const name = erasingEntry(token);
  const journal = await context.blobs.stat(name, request(context, 'a journal of erase'));
  if (!journal) return;
  const found = await readLink(context.blobs, token, context);
  if (found?.link.erasing === undefined) await deleteIfUnchanged(context, { name, etag: journal.etag });
}

/** What was known of a link that an `erase` has deleted without reaching its end. */
export async function erasedLink(context: AdminContext, token: string): Promise<Link | undefined> {
  const journal = await readJournal(context, token);
  return journal && !(await readLink(context.blobs, token, context)) ? journal.link : undefined;
}

/** What `erase` has to do for a link: the link as it is now, or what an earlier `erase` left of it. */
export async function findErasable(context: AdminContext, token: string): Promise<Found | undefined> {
  return (await findLink(context, token, { erasing: true })) ?? (await findBegun(context, token, {}));
}

/** The same for all that match a filter; a link may come twice. */
export async function* findAllErasable(context: AdminContext, filter: Filter): AsyncGenerator<Found> {
  const journals = listed(context, erasingIndex);
  for await (const found of inParallel(journals, ({ name }) => findBegun(context, lastSegment(name), filter))) {
    if (found) yield found;
  }
  yield* findLinks(context, filter, { erasing: true });
}

/** What an earlier `erase` has begun. Its state is not compared: the file may be deleted already. */
async function findBegun(context: AdminContext, token: string, filter: Filter): Promise<Found | undefined> {
  const journal = await readJournal(context, token);
  if (!journal || !matches(journal.link, filter) || !wentTo(context, journal, filter)) return undefined;
  const link = (await readLink(context.blobs, token, context))?.link ?? journal.link;
  return link.erasing === undefined ? undefined : { token, link, state: 'missing' };
}

function wentTo(context: AdminContext, { recipients }: Journal, { recipient }: Filter): boolean {
  if (recipient === undefined) return true;
  const keys = recipientKeys(context, recipient);
  return recipients.some((each) => keys.has(each));
}

async function readJournal(context: AdminContext, token: string): Promise<Journal | undefined> {
  const name = erasingEntry(token);
  const found = await context.blobs.read(name, request(context, 'a journal of erase'));
  return found && parseJournal(found.bytes, name);
}

/** @throws DamagedRecord when it is no journal that this version can read */
function parseJournal(bytes: Buffer, name: string): Journal {
  try {
    const { v, link, recipients } = JSON.parse(bytes.toString('utf8')) as Partial<Journal & { readonly v: number }>;
    const parsed = parseLink(JSON.stringify(link));
    if (v === 1 && parsed && Array.isArray(recipients)) return { link: parsed, recipients };
  } catch {
    // Reported below.
  }
  throw new DamagedRecord(name, { what: 'a journal of erase', problem: 'not a journal that this version can read' });
}
