import type { ListedBlob } from '../../blobs.ts';
import { lastSegment, pageEntry } from '../../index-names.ts';
import { livesOrIsHeld } from '../../link-record.ts';
import { readLink } from '../../links.ts';
import type { Page } from '../../interface.ts';
import { readPage } from '../../pages.ts';
import { type AdminContext, inParallel, readable, unlessDamaged } from '../context.ts';
import { deleteIfUnchanged, deleteUnlessNeeded } from '../judged.ts';
import { dropEntriesOf } from '../message-blobs.ts';
import { mayBeOrphan, type SweepRun } from './run.ts';
import { isPast } from './sweep-files.ts';

/** Deletes pages whose `until` has passed, unless a link on them lives or is held, and those without any link. */
export async function sweepPages(run: SweepRun): Promise<void> {
  const { context, swept } = run;
  const work = (item: ListedBlob): Promise<boolean | undefined> => unlessDamaged(context, () => sweepPage(run, item));
  for await (const gone of inParallel(readable(context, 'pages/'), work, context)) {
    if (gone === true) swept.pages += 1;
  }
}

async function sweepPage(run: SweepRun, item: ListedBlob): Promise<boolean> {
  const past = isPast(run, item.metadata);
  if (!past && !(run.indexed && mayBeOrphan(run, item))) return false;
  const token = lastSegment(item.name);
  const found = await readPage(run.context.blobs, token, run.context);
  if (!found || past !== isPast(run, found.metadata)) return false;
  const { context, dryRun } = run;
  const isNeeded = (): Promise<boolean> => hasLink(context, found.page, { alive: past });
  if (await isNeeded()) return false;
  if (dryRun) return true;
  const deleted = past
    ? await deleteIfUnchanged(context, { name: item.name, etag: found.etag })
    : (await deleteUnlessNeeded(context, item.name, { isNeeded })) === 'deleted';
  if (deleted) await dropEntriesOf(context, found.page, { entry: pageEntry(token) });
  return deleted;
}

/** Whether one of its links is there; `alive`: one that lives or is held. */
async function hasLink(context: AdminContext, { tokens }: Page, { alive }: { alive: boolean }): Promise<boolean> {
  for (const token of tokens) {
    const link = (await readLink(context.blobs, token, context))?.link;
    if (!link || link.erasing !== undefined) continue;
    if (!alive || livesOrIsHeld(link, context.now())) return true;
  }
  return false;
}
