/**
 * What crashes leave in a directory: drafts, versions of records that nobody tidied, bytes of files that no record
 * names. Folders are read one at a time.
 */
import { stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { hasCode } from './fs-errors.ts';
import {
  draftsFolder,
  filesFolder,
  isContent,
  isLaterVersion,
  isShard,
  kindFolders,
  type Place,
  statesFolder,
} from './layout.ts';
import { namesIn } from './names-in.ts';
import { isDraft } from './drafts.ts';
import type { VersionedRecords } from './versioned-records.ts';

export interface LeftoverOptions {
  readonly root: string;
  readonly records: VersionedRecords;
  /** Deleted records whose files a listing still found. */
  readonly deleted: Iterable<Place>;
  /** Nothing younger is touched: ms since 1970. */
  readonly before: number;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** @returns how many were removed, or would be */
export async function removeLeftovers(options: LeftoverOptions): Promise<number> {
  const { root, records, deleted, dryRun } = options;
  let count = 0;
  for (const name of namesIn(join(root, draftsFolder))) {
    if (isDraft(name) && (await removeOld(join(root, draftsFolder, name), options))) count += 1;
  }
  for await (const { shard, name } of filesBelow(filesFolder, options)) {
    if (isContent(name) && (await removeUnnamed(options, shard, name))) count += 1;
  }
  for (const kind of kindFolders.filter((folder) => folder !== filesFolder)) count += await tidyKind(kind, options);
  for (const place of deleted) {
    if (!dryRun) await records.tidy(place);
    count += 1;
  }
  return count;
}

/** Removes bytes that no record names: their upload ended before the record was written. */
async function removeUnnamed(options: LeftoverOptions, shard: string, name: string): Promise<boolean> {
  const path = join(options.root, filesFolder, shard, name);
  if (!(await isOld(path, options))) return false;
  const [sha256 = ''] = name.split('.');
  const record = await options.records.read({ folder: join(statesFolder, shard), file: sha256 });
  return record?.content?.file !== name && removeOld(path, options);
}

/** Tidies records: the last version replaces the first. */
async function tidyKind(kind: string, options: LeftoverOptions): Promise<number> {
  const { root, records, dryRun } = options;
  let count = 0;
  for await (const { shard, name } of filesBelow(kind, options)) {
    if (!isLaterVersion(name) || !(await isOld(join(root, kind, shard, name), options))) continue;
    if (!dryRun) await records.tidy({ folder: join(kind, shard), file: name.split('.', 1)[0]! });
    count += 1;
  }
  return count;
}

interface Below {
  readonly shard: string;
  readonly name: string;
}

async function* filesBelow(kind: string, options: LeftoverOptions): AsyncGenerator<Below> {
  const folder = join(options.root, kind);
  for (const shard of namesIn(folder)) {
    if (!isShard(shard)) continue;
    for (const name of namesIn(join(folder, shard))) yield { shard, name };
    await nextTurn();
    options.signal.throwIfAborted();
  }
}

async function removeOld(path: string, options: LeftoverOptions): Promise<boolean> {
  if (!(await isOld(path, options))) return false;
  if (options.dryRun) return true;
  try {
    await unlink(path);
    return true;
  } catch (error) {
    // Another sweep has removed it.
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function isOld(path: string, { before }: LeftoverOptions): Promise<boolean> {
  try {
    // Changed by link(2) too: the moment at which it got its name.
    return (await stat(path)).ctimeMs < before;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
