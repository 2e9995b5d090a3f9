import type { ListedBlob } from '../../blobs.ts';
import { messageEntry } from '../../index-names.ts';
import { linkBlob, messageBlob, pageBlob } from '../../naming.ts';
import { forAll, readable, request, unlessDamaged } from '../context.ts';
import { deleteIfUnchanged } from '../judged.ts';
import { mayBeOrphan, type SweepRun } from './run.ts';
import { deleteOrphanFile } from './sweep-files.ts';
import { deleteOrphansOf } from './sweep-orphans.ts';

/**
 * Deletes index entries that name nothing: those of mails that were refused before their files were stored. After the
 * last entry of a file or message, what belongs to these is deleted too.
 */
export async function sweepIndex(run: SweepRun): Promise<void> {
  const { context } = run;
  const work = (item: ListedBlob): Promise<void> => unlessDamaged(context, () => sweepEntry(run, item));
  for (const prefix of ['index/file/', 'index/message/', 'index/sender/']) {
    await forAll(readable(context, prefix), work, context);
  }
}

async function sweepEntry(run: SweepRun, item: ListedBlob): Promise<void> {
  if (!mayBeOrphan(run, item) || !(await deleteDangling(run, item.name))) return;
  run.swept.entries += 1;
  const [, by, key = ''] = item.name.split('/');
  if (by === 'file') await deleteOrphanFile(run, key);
  if (by === 'message') await deleteOrphansOf(run, key);
}

/** Reads the entry before what it names: a message that arrives now changes the entry first. */
async function deleteDangling(run: SweepRun, name: string): Promise<boolean> {
  const { context, dryRun } = run;
  const entry = await context.blobs.stat(name, request(context, 'index'));
  if (!entry || !mayBeOrphan(run, entry)) return false;
  if (await context.blobs.stat(named(name), request(context, 'index'))) return false;
  return dryRun || deleteIfUnchanged(context, { name, etag: entry.etag });
}

function named(name: string): string {
  const { kind, token } = messageEntry(name);
  switch (kind) {
    case 'link':
      return linkBlob(token);
    case 'page':
      return pageBlob(token);
    case 'manifest':
      return messageBlob(token);
    default:
      return kind satisfies never;
  }
}
