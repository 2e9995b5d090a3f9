/**
 * Deletes what is over: links, files, manifests, pages, recipients, index entries that name nothing, and what crashes
 * left. May run at any time, beside any number of relays and of itself: each blob is judged on what it says now and
 * deleted only while its ETag is the one that was judged, so that a file which a new message is just about to use either
 * has its `until` raised first, and stays, or is gone first, and is uploaded again. Holds memory for a page of a
 * listing, whatever there is.
 */
import { sweepRecord } from '../../index-names.ts';
import { type AdminContext, request } from '../context.ts';
import { newStanding, newSwept, type Standing, type SweepRun, type Swept } from './run.ts';
import { sweepFiles } from './sweep-files.ts';
import { sweepIndex } from './sweep-index.ts';
import { sweepLinks } from './sweep-links.ts';
import { sweepManifests, sweepTransactions } from './sweep-manifests.ts';
import { sweepPages } from './sweep-pages.ts';

export interface SweepResult {
  readonly swept: Swept;
  readonly standing: Standing;
}

/** What a crash left is younger only while it may be in use. */
const leftoverMs = 86_400_000;

/** @param dryRun counts, and changes nothing */
export async function sweep(
  context: AdminContext,
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<SweepResult> {
  const started = context.now();
  const last = await readSweepRecord(context);
  const swept = newSwept();
  const standing = newStanding();
  const run: SweepRun = { context, dryRun, swept, standing, lookedUntil: last ?? 0, indexed: last !== undefined };
  await sweepLinks(run);
  await sweepIndex(run);
  await sweepFiles(run);
  await sweepManifests(run);
  await sweepTransactions(run);
  await sweepPages(run);
  const leftovers = { ...request(context, 'leftovers'), before: started - leftoverMs, dryRun };
  swept.leftovers = await context.blobs.removeLeftovers(leftovers);
  if (!dryRun) await writeSweepRecord(context, { started, standing });
  return { swept, standing };
}

/** When the last sweep that ran through began: ms since 1970. */
async function readSweepRecord(context: AdminContext): Promise<number | undefined> {
  const found = await context.blobs.stat(sweepRecord, request(context, 'the last sweep'));
  const started = Date.parse(found?.metadata['started'] ?? '');
  return Number.isNaN(started) ? undefined : started;
}

/** Says that the index is complete, and for whoever shows figures what there is. The last one to write wins. */
async function writeSweepRecord(
  context: AdminContext,
  { started, standing }: { readonly started: number; readonly standing: Standing },
): Promise<void> {
  const { blobs } = context;
  const what = request(context, 'the last sweep');
  const metadata = { started: new Date(started).toISOString() };
  const content = Buffer.from(JSON.stringify({ v: 1, ...metadata, standing }));
  if (await blobs.create(sweepRecord, { ...what, content, metadata })) return;
  const found = await blobs.stat(sweepRecord, what);
  if (found) await blobs.replace(sweepRecord, { ...what, content, metadata, etag: found.etag });
}
