import type { ListedBlob } from '../../blobs.ts';
import { erasingIndex, lastSegment } from '../../index-names.ts';
import { eraseTimeMs } from '../../link-record.ts';
import { readLink } from '../../links.ts';
import { forAll, readable, unlessDamaged } from '../context.ts';
import { eraseMessage } from '../erase/erase-message.ts';
import { closeJournal } from '../erase/journal.ts';
import type { SweepRun } from './run.ts';

/** Ends what an `erase` left after it had deleted the links. Links that are still marked have been swept before. */
export async function sweepErasures(run: SweepRun): Promise<void> {
  const { context } = run;
  const work = (item: ListedBlob): Promise<void> => unlessDamaged(context, () => sweepErasure(run, item));
  await forAll(readable(context, erasingIndex), work, context);
}

async function sweepErasure({ context, swept, dryRun }: SweepRun, { name, modified }: ListedBlob): Promise<void> {
  const token = lastSegment(name);
  if (modified + eraseTimeMs > context.now()) return;
  const link = await readLink(context.blobs, token, context);
  if (!link) swept.erased += 1;
  if (dryRun) return;
  if (!link) await eraseMessage(context, [token], { onlyBegun: true });
  // The message came again: its link is a new one.
  else await closeJournal(context, token);
}
