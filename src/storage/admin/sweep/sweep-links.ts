import type { ListedBlob } from '../../blobs.ts';
import { fileIndex, lastSegment } from '../../index-names.ts';
import { eraseTimeMs, type LinkMarks, linkState } from '../../link-record.ts';
import { readLink } from '../../links.ts';
import { fileBlob, linkBlob } from '../../naming.ts';
import { forAll, readable, request, unlessDamaged } from '../context.ts';
import { eraseMessage } from '../erase/erase-message.ts';
import { indexLink, isBeforeIndex } from '../before-index.ts';
import { deleteIfUnchanged } from '../judged.ts';
import { entriesOf, type TokenedLink, writeEntries } from '../message-blobs.ts';
import { youngMs } from '../needed-file.ts';
import type { SweepRun } from './run.ts';
import { mayBeOrphan } from './run.ts';

/** How long an expired link answers 410; after that it is deleted and answers 404. */
export const linkGraceMs = 30 * 86_400_000;

/** Deletes links that expired 30 days ago, completes an `erase` that did not end, and indexes what is in no index. */
export async function sweepLinks(run: SweepRun): Promise<void> {
  const { context } = run;
  const work = (item: ListedBlob): Promise<void> => unlessDamaged(context, () => sweepLink(run, item));
  await forAll(readable(context, 'links/'), work, context);
}

async function sweepLink(run: SweepRun, item: ListedBlob): Promise<void> {
  const token = lastSegment(item.name);
  const { metadata } = item;
  if (isBeforeIndex(metadata)) return sweepOldLink(run, token);
  if (metadata['erasing'] !== undefined) return completeErase(run, token);
  const { revoked, held, expires = 'never' } = metadata;
  const times = { revoked, held, expires: expires === 'never' ? null : expires };
  if (isOver(run, times)) return deleteLink(run, token);
  count(run, times);
  if (mayBeOrphan(run, item)) await findEntry(run, token);
}

/** A revoked link stays, so that it remains revoked when its message is sent again. */
function isOver({ context }: SweepRun, { revoked, held, expires }: LinkMarks): boolean {
  if (revoked !== undefined || held !== undefined || expires === null) return false;
  return Date.parse(expires) + linkGraceMs < context.now();
}

function count({ context, standing }: SweepRun, times: LinkMarks): void {
  standing[linkState(times, context.now())] += 1;
  if (times.held !== undefined) standing.held += 1;
}

/**
 * Deletes a link and its index entries. The entries are deleted first, on the ETags from before the link was judged, so
 * nothing is deleted that a message has written again since. If it has written one of them before, it may be about to
 * renew the link: then the next sweep judges again.
 */
async function deleteLink(run: SweepRun, token: string): Promise<void> {
  const { context, swept, dryRun } = run;
  const first = (await readLink(context.blobs, token, context))?.link;
  if (!first) return;
  const entries = [];
  for (const name of entriesOf(context, { token, link: first })) {
    const found = await context.blobs.stat(name, request(context, 'index'));
    if (found && found.modified + youngMs > context.now()) return;
    if (found) entries.push({ name, etag: found.etag });
  }
  const found = await readLink(context.blobs, token, context);
  if (!found || found.link.erasing !== undefined || !isOver(run, found.link)) return;
  swept.links += 1;
  if (dryRun) return;
  const deleted = await Promise.all(entries.map((entry) => deleteIfUnchanged(context, entry)));
  if (!deleted.includes(false) && (await deleteIfUnchanged(context, { name: linkBlob(token), etag: found.etag })))
    return;
  // Somebody has just renewed it.
  const now = await readLink(context.blobs, token, context);
  if (now && now.link.erasing === undefined) await writeEntries(context, { token, link: now.link });
}

/** An `erase` that began so long ago has crashed. */
async function completeErase(run: SweepRun, token: string): Promise<void> {
  const { context, swept, dryRun } = run;
  const erasing = (await readLink(context.blobs, token, context))?.link.erasing;
  if (erasing === undefined || Date.parse(erasing) + eraseTimeMs > context.now()) return;
  swept.erased += 1;
  if (!dryRun) await eraseMessage(context, [token], { onlyBegun: true });
}

/** A link from before the index. */
async function sweepOldLink(run: SweepRun, token: string): Promise<void> {
  const { context } = run;
  const found = await readLink(context.blobs, token, context);
  if (!found) return;
  if (found.link.erasing !== undefined) return completeErase(run, token);
  if (isOver(run, found.link)) return deleteLink(run, token);
  count(run, found.link);
  await addToIndex(run, { token, ...found });
}

async function addToIndex({ context, swept, dryRun }: SweepRun, found: TokenedLink): Promise<void> {
  swept.indexed += 1;
  if (!dryRun) await indexLink(context, found);
}

/**
 * A link without the index entry of its file was written while its message was erased, by a delivery that was then
 * deferred. If its file is gone, the `erase` is completed; otherwise the link is kept like any other.
 */
async function findEntry(run: SweepRun, token: string): Promise<void> {
  const { context, swept, dryRun } = run;
  const found = await readLink(context.blobs, token, context);
  if (!found || found.link.erasing !== undefined) return;
  const { sha256, held } = found.link;
  const hasEntry = async (): Promise<boolean> =>
    (await context.blobs.stat(fileIndex(sha256) + token, request(context, 'index'))) !== undefined;
  if (await hasEntry()) return;
  const file = await context.blobs.stat(fileBlob(sha256), request(context, 'looking for a file'));
  if (file || held !== undefined) return addToIndex(run, { token, ...found });
  swept.erased += 1;
  // A delivery that came since has written the entry: it needs the link, although it does not change it.
  if (!dryRun) await eraseMessage(context, [token], { isNeeded: hasEntry });
}
