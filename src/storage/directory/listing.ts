/**
 * Listings by prefix, a page at a time. One folder is read at a time, as a stream of names, so that neither a million
 * folders nor a million names in one of them take memory. Records are read without going through the thread pool: it is
 * ten times slower for small files, and a page is short.
 *
 * Names are looked at twice: first for the records beside which a later version stands. Only these are followed to their
 * last version, so a record is listed as it was when the listing began, or later.
 */
import { closeSync, constants, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ListedBlob } from '../blobs.ts';
import { DamagedRecord, type OnDamage } from '../damaged-record.ts';
import { hasCode } from '../../smtp/failures.ts';
import { describe, isDamage } from './fs-errors.ts';
import { isLaterVersion, isRecord, isShard, laterFolders, nameOf, type Search, searchesFor } from './layout.ts';
import { namesIn } from './names-in.ts';
import { decodeVersion, type Version } from './version.ts';

const pageSize = 500;

export interface ListingOptions {
  readonly root: string;
  readonly what: string;
  readonly signal: AbortSignal;
  /** Told of records that cannot be read; undefined: such a record ends the listing. */
  readonly damaged: OnDamage | undefined;
  /** Reads the current version of a record that has several. */
  readonly read: (name: string) => Promise<Version | undefined>;
  /** Called for deleted records whose files a crash left. */
  readonly deleted: (name: string) => void;
}

export function listRecords(prefix: string, options: ListingOptions): AsyncGenerator<readonly ListedBlob[]> {
  const take: Take<ListedBlob> = async ({ name, path, alone }) => {
    const version = (alone ? readFirst(path) : undefined) ?? (await options.read(name));
    if (!version) options.deleted(name);
    return version && listed(name, version);
  };
  return pagesOf(prefix, { ...options, take });
}

/** The names alone: most records are not read. */
export function listNames(prefix: string, options: ListingOptions): AsyncGenerator<readonly string[]> {
  const take: Take<string> = async ({ name, alone }) => (alone || (await options.read(name)) ? name : undefined);
  return pagesOf(prefix, { ...options, take });
}

interface FoundRecord {
  readonly name: string;
  readonly path: string;
  /** No later version stood beside the first one when the listing of the folder began. */
  readonly alone: boolean;
}

type Take<T> = (found: FoundRecord) => Promise<T | undefined>;

interface TakingOptions<T> extends ListingOptions {
  readonly take: Take<T>;
}

async function* pagesOf<T>(prefix: string, options: TakingOptions<T>): AsyncGenerator<readonly T[]> {
  for (const search of searchesFor(prefix)) {
    for (const shard of shardsOf(options.root, search)) {
      yield* pagesOfShard(search, shard, options);
      // A folder may have less than a page, or nothing. Without a turn of the event loop, thousands of them would be read
      // before a signal is noticed.
      if (search.shard === undefined) await turn(options.signal);
    }
  }
}

/** The folders to look into, in order. */
function shardsOf(root: string, { folder, shard, begins }: Search): readonly string[] {
  if (shard !== undefined) return [shard];
  return shardsIn(root, folder)
    .filter((name) => isShard(name) && name.startsWith(begins))
    .sort();
}

/** Says which record cannot be read, so that the operator can look at it. */
async function takeOrName<T>(
  found: FoundRecord,
  { what, damaged, take }: Pick<TakingOptions<T>, 'what' | 'damaged' | 'take'>,
): Promise<T | undefined> {
  try {
    return await take(found);
  } catch (error) {
    const problem = `${found.path}: ${describe(error)}`;
    const record = error instanceof DamagedRecord || isDamage(error);
    if (!record) throw new Error(problem, { cause: error });
    if (!damaged) throw new DamagedRecord(found.name, { what, problem });
    damaged(new DamagedRecord(found.name, { what, problem: describe(error) }));
    return undefined;
  }
}

function shardsIn(root: string, folder: string): readonly string[] {
  try {
    return readdirSync(join(root, folder));
  } catch (error) {
    if (hasCode(error, 'ENOENT') && laterFolders.has(folder)) return [];
    throw error;
  }
}

async function* pagesOfShard<T>(
  search: Search,
  shard: string,
  options: TakingOptions<T>,
): AsyncGenerator<readonly T[]> {
  const { root, signal } = options;
  const folder = join(root, search.folder, shard);
  const changed = new Set<string>();
  const names = namesIn(folder);
  for (const file of names) {
    if (isLaterVersion(file) && file.startsWith(search.begins)) changed.add(file.split('.', 1)[0]!);
  }
  let page: T[] = [];
  for (const file of names) {
    // A later version stands beside the first, which is listed.
    if (!isRecord(file) || !file.startsWith(search.begins)) continue;
    const name = nameOf(search.kind, file);
    const taken = await takeOrName({ name, path: join(folder, file), alone: !changed.has(file) }, options);
    if (taken !== undefined) page.push(taken);
    if (page.length < pageSize) continue;
    yield page;
    page = [];
    await turn(signal);
  }
  if (page.length > 0) yield page;
}

async function turn(signal: AbortSignal): Promise<void> {
  await nextTurn();
  signal.throwIfAborted();
}

/** Records are small; larger ones are read otherwise. */
const readBuffer = Buffer.allocUnsafe(16_384);

/** The first version of a record; undefined when it says that the blob is gone, is large, or is not there any more. */
function readFirst(path: string): Version | undefined {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const count = readSync(file, readBuffer, 0, readBuffer.length, 0);
      // What is kept of it is the length of its bytes, not the bytes.
      const version = count < readBuffer.length ? decodeVersion(readBuffer.subarray(0, count)) : undefined;
      return version?.gone ? undefined : version;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function listed(name: string, { id, at, metadata, content, bytes }: Version): ListedBlob {
  return { name, size: content?.size ?? bytes.length, etag: id, metadata, modified: at };
}
