/** What belongs to a message of which no link is left. */
import { messageEntry, messageIndex, transactionIndex } from '../../index-names.ts';
import { manifestPrefixOf, messageBlob, pageBlob } from '../../naming.ts';
import { type AdminContext, listed } from '../context.ts';
import { deleteNow, deleteUnlessNeeded } from '../judged.ts';
import { mayJudgeOrphans, type SweepRun } from './run.ts';

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
    if (metadata['message'] === messageKey && (await deleteOrphan(run, name, messageKey))) swept.messages += 1;
  }
  for await (const { name } of listed(context, transactionIndex(messageKey))) {
    if (await deleteOrphan(run, name, messageKey)) swept.transactions += 1;
  }
  for await (const { name } of listed(context, messageIndex(messageKey))) {
    const { kind, token } = messageEntry(name);
    if (kind === 'link') continue;
    const blob = kind === 'page' ? pageBlob(token) : messageBlob(token);
    if (!(await deleteOrphan(run, blob, messageKey))) continue;
    if (kind === 'page') swept.pages += 1;
    else swept.messages += 1;
    if (!run.dryRun) await deleteNow(context, name);
  }
}

/** @returns whether it is gone, or would be */
export async function deleteOrphan(run: SweepRun, name: string, messageKey: string): Promise<boolean> {
  const { context, dryRun } = run;
  if (!mayJudgeOrphans(run)) return false;
  if (dryRun) return !(await hasLinks(context, messageKey));
  return (await deleteUnlessNeeded(context, name, () => hasLinks(context, messageKey))) === 'deleted';
}
