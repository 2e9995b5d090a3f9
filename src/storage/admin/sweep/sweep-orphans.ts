/** What belongs to a message of which no link is left. */
import type { ListedBlob } from '../../blobs.ts';
import { messageEntry, messageIndex, transactionIndex } from '../../index-names.ts';
import { manifestPrefixOf, messageBlob, pageBlob } from '../../naming.ts';
import { type AdminContext, listed, request } from '../context.ts';
import { deleteIfUnchanged, deleteUnlessNeeded, type Judged } from '../judged.ts';
import { youngMs } from '../needed-file.ts';
import { mayJudgeOrphans, type SweepRun } from './run.ts';

/** The name of a manifest, page or record of recipients, and the key of its message. */
export interface MessageRecord {
  readonly name: string;
  readonly messageKey: string;
}

/** Whether the index names a link of the message. */
export async function hasLinks(context: AdminContext, messageKey: string): Promise<boolean> {
  for await (const { name } of listed(context, messageIndex(messageKey))) {
    if (messageEntry(name).kind === 'link') return true;
  }
  return false;
}

/** Deletes the manifests, recipients and pages of a message of which the index names no link any more. */
export async function deleteOrphansOf(run: SweepRun, messageKey: string): Promise<void> {
  const { context, swept } = run;
  if (!mayJudgeOrphans(run) || (await hasLinks(context, messageKey))) return;
  for await (const { name, metadata } of listed(context, messageBlob(manifestPrefixOf(messageKey)))) {
    if (metadata['message'] === messageKey && (await deleteOrphan(run, { name, messageKey }))) swept.messages += 1;
  }
  for await (const { name } of listed(context, transactionIndex(messageKey))) {
    if (await deleteOrphan(run, { name, messageKey })) swept.transactions += 1;
  }
  for await (const entry of listed(context, messageIndex(messageKey))) await deleteEntry(run, entry, { messageKey });
}

/**
 * Deletes what an entry names, and the entry. A page or manifest that is gone has left its entry if an `erase` saw the
 * message as needed at that moment; or a message is about to write it, and then the entry is young.
 */
async function deleteEntry(
  run: SweepRun,
  { name, etag, modified }: ListedBlob,
  { messageKey }: Pick<MessageRecord, 'messageKey'>,
): Promise<void> {
  const { context, swept, dryRun } = run;
  const { kind, token } = messageEntry(name);
  if (kind === 'link') return;
  const record = kind === 'page' ? pageBlob(token) : messageBlob(token);
  const judged = await judgeOrphan(run, { name: record, messageKey });
  if (judged === 'kept' || (judged === 'gone' && modified + youngMs >= context.now())) return;
  if (judged === 'gone') swept.entries += 1;
  else if (kind === 'page') swept.pages += 1;
  else swept.messages += 1;
  if (!dryRun) await deleteIfUnchanged(context, { name, etag });
}

/** @returns whether it was deleted, or would be */
export async function deleteOrphan(run: SweepRun, record: MessageRecord): Promise<boolean> {
  return (await judgeOrphan(run, record)) === 'deleted';
}

async function judgeOrphan(run: SweepRun, { name, messageKey }: MessageRecord): Promise<Judged> {
  const { context, dryRun } = run;
  if (!mayJudgeOrphans(run)) return 'kept';
  const isNeeded = (): Promise<boolean> => hasLinks(context, messageKey);
  if (!dryRun) return deleteUnlessNeeded(context, name, { isNeeded });
  if (!(await context.blobs.stat(name, request(context, 'sweeping a record')))) return 'gone';
  return (await isNeeded()) ? 'kept' : 'deleted';
}
