/**
 * Listings by prefix, a page at a time. One folder is read at a time, as a stream of names, so that neither a million
 * folders nor a million names in one of them take memory. Records are read without going through the thread pool: it is
 * ten times slower for small files, and a page is short.
 */
import { type Dir, existsSync, opendirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ListedBlob } from '../blobs.ts';
import { hasCode } from './fs-errors.ts';
import { nameOf, type Search, searchesFor } from './layout.ts';
import { decodeVersion, type Version } from './version.ts';

const pageSize = 500;

export interface ListingOptions {
  readonly root: string;
  readonly signal: AbortSignal;
  /** Reads the current version of a record that has several. */
  readonly read: (name: string) => Promise<Version | undefined>;
  /** Called for deleted records whose files a crash left. */
  readonly deleted: (name: string) => void;
}

export async function* listRecords(prefix: string, options: ListingOptions): AsyncGenerator<readonly ListedBlob[]> {
  for (const search of searchesFor(prefix)) {
    for (const shard of shardsOf(options.root, search)) yield* listShard(search, shard, options);
  }
}

/** The folders to look into, in order. */
function shardsOf(root: string, { folder, shard, begins }: Search): readonly string[] {
  if (shard !== undefined) return [shard];
  return readdirSync(join(root, folder))
    .filter((name) => name.startsWith(begins))
    .sort();
}

async function* listShard(
  search: Search,
  shard: string,
  { root, signal, read, deleted }: ListingOptions,
): AsyncGenerator<readonly ListedBlob[]> {
  const folder = join(root, search.folder, shard);
  const dir = openIfThere(folder);
  if (!dir) return;
  try {
    let page: ListedBlob[] = [];
    for (let entry = dir.readSync(); entry; entry = dir.readSync()) {
      // A later version stands beside the first, which is listed.
      if (!entry.name.startsWith(search.begins) || entry.name.includes('.')) continue;
      const name = nameOf(search.kind, entry.name);
      const version = readFirst(join(folder, entry.name)) ?? (await read(name));
      if (version) page.push(listed(name, version));
      else deleted(name);
      if (page.length < pageSize) continue;
      yield page;
      page = [];
      await nextTurn();
      signal.throwIfAborted();
    }
    if (page.length > 0) yield page;
  } finally {
    dir.closeSync();
  }
}

function openIfThere(folder: string): Dir | undefined {
  try {
    return opendirSync(folder, { bufferSize: 1024 });
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** The first version of a record; undefined when it is not the current one, or is gone. */
function readFirst(path: string): Version | undefined {
  try {
    const version = decodeVersion(readFileSync(path));
    return existsSync(`${path}.${version.id}`) || version.gone ? undefined : version;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function listed(name: string, { id, at, metadata, content, bytes }: Version): ListedBlob {
  return { name, size: content?.size ?? bytes.length, etag: id, metadata, modified: at };
}
