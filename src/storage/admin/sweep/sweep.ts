/**
 * Deletes what has expired: links, files, manifests, pages, recipients, index entries that name nothing, and what
 * crashes left. It may run at any time, beside any number of relays and other sweeps. Each blob is judged by its
 * present state, and deleted only while its ETag is the one that was judged. So a file that a new message is about to
 * use either has its `until` raised first and stays, or is deleted first and uploaded again. Memory is needed for one
 * page of a listing.
 *
 * A record that cannot be read stays, with all that it may need, and so does everything whose judgement needs it. The
 * rest is swept.
 */
import { sweepRecord } from '../../index-names.ts';
import { DamagedRecords } from '../../damaged-record.ts';
import { type AdminContext, request, unlessDamaged } from '../context.ts';
import { newStanding, newSwept, type Standing, type SweepRun, type Swept } from './run.ts';
import { sweepErasures } from './sweep-erasures.ts';
import { sweepFiles } from './sweep-files.ts';
import { sweepIndex } from './sweep-index.ts';
import { sweepLinks } from './sweep-links.ts';
import { sweepManifests, sweepTransactions } from './sweep-manifests.ts';
import { sweepPages } from './sweep-pages.ts';

export interface SweepResult {
  readonly swept: Swept;
  readonly standing: Standing;
  readonly damaged: DamagedRecords;
}

/** Younger files may still be in use; older ones were left by a crash. */
const leftoverMs = 86_400_000;

/** @param dryRun counts, and changes nothing */
export async function sweep(admin: AdminContext, { dryRun = false }: { dryRun?: boolean } = {}): Promise<SweepResult> {
  const damaged = new DamagedRecords();
  const context = { ...admin, damaged };
  const started = context.now();
  const last = await unlessDamaged(context, () => readSweepRecord(context));
  const { lookedUntil = 0 } = last ?? {};
  const [swept, standing] = [newSwept(), newStanding()];
  const seen = { oldManifests: false };
  const run: SweepRun = { context, dryRun, swept, standing, lookedUntil, indexed: last !== undefined, seen };
  await sweepLinks(run);
  await sweepErasures(run);
  await sweepIndex(run);
  await sweepFiles(run);
  await sweepManifests(run);
  await sweepTransactions(run);
  await sweepPages(run);
  const leftovers = { ...request(context, 'leftovers'), before: started - leftoverMs, dryRun, damaged: damaged.add };
  swept.leftovers = await context.blobs.removeLeftovers(leftovers);
  if (!dryRun) await unlessDamaged(context, () => writeSweepRecord(run, { started, standing }));
  return { swept, standing, damaged };
}

/** Until when the last sweep that ran through has checked everything: ms since 1970. Undefined: there was none. */
async function readSweepRecord(context: AdminContext): Promise<{ readonly lookedUntil: number } | undefined> {
  const found = await context.blobs.stat(sweepRecord, request(context, 'the last sweep'));
  const started = Date.parse(found?.metadata['started'] ?? '');
  if (Number.isNaN(started)) return undefined;
  return { lookedUntil: found?.metadata['damaged'] === undefined ? started : 0 };
}

/**
 * Records that the index is complete, and the figures of this sweep. Of several sweeps the last one wins. After records
 * that could not be read, the next sweep checks everything again; if there was no sweep before, the index may not be
 * complete.
 */
async function writeSweepRecord(
  { context, indexed, seen }: SweepRun,
  { started, standing }: { readonly started: number; readonly standing: Standing },
): Promise<void> {
  const { blobs, damaged } = context;
  if (damaged.count > 0 && !indexed) return;
  const what = request(context, 'the last sweep');
  const metadata = {
    started: new Date(started).toISOString(),
    old: seen.oldManifests || damaged.count > 0 ? 'yes' : 'no',
    ...(damaged.count > 0 && { damaged: 'yes' }),
  };
  const content = Buffer.from(JSON.stringify({ v: 1, ...metadata, standing }));
  if (await blobs.create(sweepRecord, { ...what, content, metadata })) return;
  const found = await blobs.stat(sweepRecord, what);
  if (found) await blobs.replace(sweepRecord, { ...what, content, metadata, etag: found.etag });
}
