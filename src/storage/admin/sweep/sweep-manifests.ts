import type { ListedBlob } from '../../blobs.ts';
import { lastSegment, manifestEntry, messageEntry, messageIndex } from '../../index-names.ts';
import { readLink } from '../../links.ts';
import { messageKeyOf } from '../../naming.ts';
import { type AdminContext, inParallel, listed, readable, request, unlessDamaged } from '../context.ts';
import { indexManifest, isOldManifest, readOldManifest } from '../before-index.ts';
import { deleteIfUnchanged, deleteNow } from '../judged.ts';
import { keysOf } from '../message-blobs.ts';
import { mayBeOrphan, type SweepRun } from './run.ts';
import { isPast } from './sweep-files.ts';
import { deleteOrphan, hasLinks, type MessageRecord } from './sweep-orphans.ts';

/** Deletes manifests whose `until` has passed, unless a link of the message is held, and indexes old ones. */
export async function sweepManifests(run: SweepRun): Promise<void> {
  const { context, swept, standing } = run;
  const work = (item: ListedBlob): Promise<boolean | undefined> =>
    unlessDamaged(context, () => sweepManifest(run, item));
  for await (const gone of inParallel(readable(context, 'messages/'), work, context)) {
    if (gone === true) swept.messages += 1;
    else standing.messages += 1;
  }
}

/** The same for the records of recipients, whose message stands in their name. */
export async function sweepTransactions(run: SweepRun): Promise<void> {
  const { context, swept } = run;
  const messageKey = ({ name }: ListedBlob): string => name.split('/')[2] ?? '';
  const work = (item: ListedBlob): Promise<boolean | undefined> =>
    unlessDamaged(context, () => sweepRecord(run, item, { messageKey: messageKey(item) }));
  for await (const gone of inParallel(readable(context, 'index/transaction/'), work, context)) {
    if (gone === true) swept.transactions += 1;
  }
}

async function sweepManifest(run: SweepRun, item: ListedBlob): Promise<boolean> {
  if (isOldManifest(item.metadata)) run.seen.oldManifests = true;
  const messageKey = item.metadata['message'] ?? (await indexOldManifest(run, item));
  if (messageKey === undefined) return false;
  const gone = await sweepRecord(run, item, { messageKey });
  if (gone && !run.dryRun && isOldManifest(item.metadata)) {
    await deleteNow(run.context, messageIndex(messageKey) + manifestEntry(lastSegment(item.name)));
  }
  return gone;
}

async function sweepRecord(
  run: SweepRun,
  item: ListedBlob,
  { messageKey }: Pick<MessageRecord, 'messageKey'>,
): Promise<boolean> {
  const { context } = run;
  const record = { name: item.name, messageKey };
  if (isPast(run, item.metadata)) return deletePast(run, record);
  if (!run.indexed || !mayBeOrphan(run, item) || (await hasLinks(context, messageKey))) return false;
  return deleteOrphan(run, record);
}

async function deletePast(run: SweepRun, { name, messageKey }: MessageRecord): Promise<boolean> {
  const { context, swept, dryRun } = run;
  const found = await context.blobs.stat(name, request(context, 'sweeping a record'));
  if (!found || !isPast(run, found.metadata)) return false;
  if (await isHeld(context, { messageKey, sender: found.metadata['sender'] })) {
    swept.held += 1;
    return false;
  }
  return dryRun || deleteIfUnchanged(context, { name, etag: found.etag });
}

/** Whether a link of the message is held. @param sender keyed hash of the reverse-path; unknown in old manifests */
async function isHeld(
  context: AdminContext,
  { messageKey, sender }: { readonly messageKey: string; readonly sender: string | undefined },
): Promise<boolean> {
  for await (const { name } of listed(context, messageIndex(messageKey))) {
    const { kind, token } = messageEntry(name);
    const link = kind === 'link' ? (await readLink(context.blobs, token, context))?.link : undefined;
    if (link?.held === undefined) continue;
    if (sender === undefined || keysOf(context, link).some((keys) => keys.sender === sender)) return true;
  }
  return false;
}

/** @returns the key of the message of a manifest that is in no index yet */
async function indexOldManifest(run: SweepRun, { name }: ListedBlob): Promise<string | undefined> {
  const { context, swept, dryRun } = run;
  const manifest = await readOldManifest(context, name);
  if (!manifest) return undefined;
  if (!isPast(run, manifest.metadata)) {
    swept.indexed += 1;
    if (!dryRun) await indexManifest(context, manifest);
  }
  return messageKeyOf(context.secrets[0]!, manifest.messageIdentity);
}
