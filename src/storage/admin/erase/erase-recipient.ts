/** Erases what names one recipient. What other recipients have stays. */
import { contend } from '../../contention.ts';
import type { ListedBlob } from '../../blobs.ts';
import type { Link } from '../../interface.ts';
import { readLink } from '../../links.ts';
import { senderForm } from '../../senders.ts';
import { transactionContent } from '../../transaction-record.ts';
import { lastSegment, manifestEntry } from '../../index-names.ts';
import { isOldManifest } from '../before-index.ts';
import { type AdminContext, collect, request } from '../context.ts';
import { deleteIfUnchanged } from '../judged.ts';
import { dropEntriesOf, manifestsOf, transactionsOf } from '../message-blobs.ts';
import { namesRecipient, readTransactionAt, recipientKeys } from '../recipients.ts';
import { completeErase, type EraseOptions, type EraseReport, type PlannedLink } from './erase-links.ts';
import { eraseMessage } from './erase-message.ts';

export interface RecipientReport {
  readonly done: 'removed the recipient' | 'would remove the recipient';
  /** One of the links of the message. */
  readonly token: string;
  /** Records of recipients that named them. */
  readonly records: number;
  /** Manifests whose header named the recipient: without them the original message cannot be restored. */
  readonly manifests: number;
  /** Links that no other recipient has: they are erased. */
  readonly erased: number;
}

/** @yields what was completed, and what was done for each message; 'held' where one of its links was held after the plan was made */
export async function* eraseRecipient(
  context: AdminContext,
  { plan, recipient, dryRun }: EraseOptions & { readonly recipient: string },
): AsyncGenerator<EraseReport | RecipientReport | 'held'> {
  yield* completeErase(context, { plan, dryRun });
  for (const links of plan.messages.values()) {
    const [{ token }] = links as [PlannedLink];
    const link = (await readLink(context.blobs, token, context))?.link;
    if (link) yield await removeFromMessage({ context, link, recipient, dryRun }, links);
  }
}

interface Run {
  readonly context: AdminContext;
  readonly link: Link;
  /** A byte string. */
  readonly recipient: string;
  readonly dryRun: boolean;
}

/** The records are deleted last, so that the next run finds the message again if this one is interrupted. */
async function removeFromMessage(run: Run, links: readonly PlannedLink[]): Promise<RecipientReport | 'held'> {
  const { context, link, dryRun } = run;
  const keys = recipientKeys(context, run.recipient);
  const records = await collect(transactionsOf(context, link));
  const others = await tokensOfOthers(context, { records, keys });
  const own: string[] = [];
  for (const { token } of links) if (!others.has(token) && !(await mayHaveOthers(context, token))) own.push(token);
  const manifests = await removeManifests(run);
  if (!dryRun && own.length > 0 && (await eraseMessage(context, own)) === 'held') return 'held';
  let removed = 0;
  for (const { name } of records) if (await removeFrom(run, { name, keys })) removed += 1;
  const done = dryRun ? 'would remove the recipient' : 'removed the recipient';
  return { done, token: links[0]!.token, records: removed, manifests, erased: own.length };
}

/** Tokens of the message that others got too. */
async function tokensOfOthers(
  context: AdminContext,
  { records, keys }: { readonly records: readonly ListedBlob[]; readonly keys: ReadonlySet<string> },
): Promise<ReadonlySet<string>> {
  const tokens = new Set<string>();
  for (const { name } of records) {
    const record = (await readTransactionAt(context, name))?.record;
    if (!record || record.recipients.every((recipient) => keys.has(recipient))) continue;
    for (const token of record.tokens) tokens.add(token);
  }
  return tokens;
}

/** Whether nobody knows who else got the link. */
async function mayHaveOthers(context: AdminContext, token: string): Promise<boolean> {
  const link = (await readLink(context.blobs, token, context))?.link;
  return link?.v === 1 || link?.beforeIndex === true;
}

/** @returns whether the record named the recipient; a record whose links were erased is gone, or names fewer links */
function removeFrom(
  { context, dryRun }: Run,
  { name, keys }: { readonly name: string; readonly keys: ReadonlySet<string> },
): Promise<boolean> {
  return contend('recipients', async () => {
    const found = await readTransactionAt(context, name);
    if (!found) return true;
    if (!namesRecipient(found.record, keys)) return false;
    if (dryRun) return true;
    const recipients = found.record.recipients.filter((recipient) => !keys.has(recipient));
    if (recipients.length === 0) return (await deleteIfUnchanged(context, { name, etag: found.etag })) || undefined;
    const { content, metadata } = transactionContent({ ...found.record, recipients });
    const kept = { ...metadata, ...(found.until !== undefined && { until: found.until }) };
    const change = { content, metadata: kept, etag: found.etag };
    return (await context.blobs.replace(name, { ...request(context, 'recipients'), ...change })) || undefined;
  });
}

/** A manifest holds the header of the message, which usually names the recipients. */
async function removeManifests({ context, link, recipient, dryRun }: Run): Promise<number> {
  const address = senderForm(recipient);
  let removed = 0;
  for (const { name } of await collect(manifestsOf(context, link))) {
    const found = await context.blobs.read(name, request(context, 'reading a manifest'));
    if (!found || !names(found.bytes, address)) continue;
    if (!dryRun && !(await deleteIfUnchanged(context, { name, etag: found.etag }))) continue;
    removed += 1;
    if (!dryRun && isOldManifest(found.metadata))
      await dropEntriesOf(context, link, { entry: manifestEntry(lastSegment(name)) });
  }
  return removed;
}

/** Folded lines may divide an address where it has a comment or space around its @. */
function names(manifest: Buffer, address: string): boolean {
  const [local = '', domain = ''] = address.split('@');
  const text = manifest.toString('utf8').toLowerCase();
  const wire = Buffer.from(text, 'latin1').toString('utf8');
  return [text, wire].some((each) => each.includes(local) && each.includes(domain));
}
