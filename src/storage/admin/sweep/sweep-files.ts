import type { ListedBlob, Metadata } from '../../blobs.ts';
import { fileIndex, lastSegment } from '../../index-names.ts';
import { livesOrIsHeld } from '../../link-record.ts';
import { readLink } from '../../links.ts';
import { fileBlob } from '../../naming.ts';
import { parseUntil } from '../../until.ts';
import { type AdminContext, forAll, hasAny, listed, readable, request, unlessDamaged } from '../context.ts';
import { deleteIfUnchanged, deleteUnlessNeeded } from '../judged.ts';
import { mayBeOrphan, mayJudgeOrphans, type SweepRun } from './run.ts';

/** False when `until` cannot be read or is `never`. */
export function isPast({ context }: SweepRun, metadata: Metadata): boolean {
  const until = parseUntil(metadata);
  return typeof until === 'number' && until < context.now();
}

/** Deletes files whose `until` has passed, unless a link of them is held. */
export async function sweepFiles(run: SweepRun): Promise<void> {
  await forAll(readable(run.context, 'files/'), (item) => sweepFile(run, item), run.context);
}

async function sweepFile(run: SweepRun, item: ListedBlob): Promise<void> {
  const { standing } = run;
  const sha256 = lastSegment(item.name);
  const gone = await unlessDamaged(run.context, async () =>
    isPast(run, item.metadata)
      ? deletePastFile(run, sha256)
      : run.indexed && mayBeOrphan(run, item) && deleteOrphanFile(run, sha256),
  );
  if (gone === true) return;
  standing.files += 1;
  standing.bytesStored += item.size;
}

/** The listing may be outdated, so the file's own state is read again. */
async function deletePastFile(run: SweepRun, sha256: string): Promise<boolean> {
  const { context, swept, dryRun } = run;
  const found = await context.blobs.stat(fileBlob(sha256), request(context, 'sweeping a file'));
  if (!found || !isPast(run, found.metadata)) return false;
  if (await isLinked(context, sha256)) {
    swept.held += 1;
    return false;
  }
  if (!dryRun && !(await deleteIfUnchanged(context, { name: fileBlob(sha256), etag: found.etag }))) return false;
  swept.files += 1;
  swept.bytes += found.size;
  return true;
}

/** Whether a link to the file is held. A living link has raised `until`, unless somebody changed it by hand. */
async function isLinked(context: AdminContext, sha256: string): Promise<boolean> {
  for await (const { name } of listed(context, fileIndex(sha256))) {
    const link = (await readLink(context.blobs, lastSegment(name), context))?.link;
    if (!link || link.erasing !== undefined) continue;
    if (livesOrIsHeld(link, context.now())) return true;
  }
  return false;
}

/** Deletes a file that no index entry names: its mails were refused, or erased while they were delivered. */
export async function deleteOrphanFile(run: SweepRun, sha256: string): Promise<boolean> {
  const { context, swept, dryRun } = run;
  if (!mayJudgeOrphans(run)) return false;
  const isNamed = (): Promise<boolean> => hasAny(listed(context, fileIndex(sha256)));
  if (await isNamed()) return false;
  const found = await context.blobs.stat(fileBlob(sha256), request(context, 'sweeping a file'));
  if (!found) return false;
  if (!dryRun && (await deleteUnlessNeeded(context, fileBlob(sha256), { isNeeded: isNamed })) !== 'deleted')
    return false;
  swept.files += 1;
  swept.bytes += found.size;
  return true;
}
