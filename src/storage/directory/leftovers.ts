/**
 * What crashes leave in a directory: drafts, versions of records that nobody tidied, bytes of files that no record
 * names. Folders are read one at a time.
 */
import { stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DamagedRecord, type OnDamage } from '../damaged-record.ts';
import { hasCode } from '../../smtp/failures.ts';
import { describe, isDamage } from './fs-errors.ts';
import {
  draftsFolder,
  filesFolder,
  isContent,
  isLaterVersion,
  isShard,
  kindFolders,
  nameOf,
  placeOf,
  statesFolder,
} from './layout.ts';
import { namesIn } from './names-in.ts';
import { isDraft } from './drafts.ts';
import { fileIndex } from '../index-names.ts';
import type { VersionedRecords } from './versioned-records.ts';

export interface LeftoverOptions {
  readonly root: string;
  readonly records: VersionedRecords;
  /** Deleted records whose files a listing still found. */
  readonly deleted: Iterable<string>;
  /** Told of records that cannot be read, and of bytes without the record that they should have. */
  readonly damaged: OnDamage | undefined;
  readonly what: string;
  /** Nothing younger is touched: ms since 1970. */
  readonly before: number;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** @returns how many were removed, or would be */
export async function removeLeftovers(options: LeftoverOptions): Promise<number> {
  const { root, deleted } = options;
  let count = 0;
  for (const name of namesIn(join(root, draftsFolder))) {
    if (isDraft(name) && (await removeOld(join(root, draftsFolder, name), options))) count += 1;
  }
  for await (const { shard, name } of filesBelow(filesFolder, options)) {
    if (!isContent(name)) continue;
    const work = (): Promise<boolean> => removeUnnamed(options, { shard, name });
    if (await unlessDamaged(options, { record: fileOf(name), work })) count += 1;
  }
  for (const kind of kindFolders.filter((folder) => folder !== filesFolder)) count += await tidyKind(kind, options);
  for (const name of deleted) if (await tidy(options, name)) count += 1;
  return count;
}

const fileOf = (name: string): string => `${filesFolder}/${name.split('.', 1)[0]!}`;

/** @returns false when the record that decides cannot be read: then everything stays as it is */
async function unlessDamaged(
  { damaged, what }: LeftoverOptions,
  { record, work }: { readonly record: string; readonly work: () => Promise<boolean> },
): Promise<boolean> {
  try {
    return await work();
  } catch (error) {
    if (!damaged || !isDamage(error)) throw error;
    damaged(new DamagedRecord(record, { what, problem: describe(error) }));
    return false;
  }
}

function tidy(options: LeftoverOptions, name: string): Promise<boolean> {
  const work = async (): Promise<boolean> => {
    if (!options.dryRun) await options.records.tidy(placeOf(name));
    return true;
  };
  return unlessDamaged(options, { record: name, work });
}

/**
 * Removes bytes that no record names: their upload ended before the record was written. While links name the file, it
 * is the record that is missing: the bytes stay.
 */
async function removeUnnamed(options: LeftoverOptions, { shard, name }: Below): Promise<boolean> {
  const path = join(options.root, filesFolder, shard, name);
  if (!(await isOld(path, options))) return false;
  const [sha256 = ''] = name.split('.');
  const record = await options.records.read({ folder: join(statesFolder, shard), file: sha256 });
  if (record?.content?.file === name) return false;
  if (!record && isIndexed(options.root, sha256)) {
    const problem = 'it is missing; the bytes of the file are kept';
    options.damaged?.(new DamagedRecord(fileOf(name), { what: options.what, problem }));
    return false;
  }
  return removeOld(path, options);
}

/** An entry of a mail that was refused is swept after a day. */
function isIndexed(root: string, sha256: string): boolean {
  const { folder, file } = placeOf(fileIndex(sha256) + 'any');
  const begins = file.slice(0, -'any'.length);
  for (const name of namesIn(join(root, folder))) if (name.startsWith(begins)) return true;
  return false;
}

/** Tidies records: the last version replaces the first. */
async function tidyKind(kind: string, options: LeftoverOptions): Promise<number> {
  let count = 0;
  for await (const { shard, name } of filesBelow(kind, options)) {
    if (!isLaterVersion(name) || !(await isOld(join(options.root, kind, shard, name), options))) continue;
    if (await tidy(options, nameOf(kind === statesFolder ? filesFolder : kind, name.split('.', 1)[0]!))) count += 1;
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
