import type { ListedBlob } from '../../blobs.ts';

/** Leading characters of a key by which a directory orders every index. Names that share them come in any order. */
const shardLength = 2;

/**
 * Groups index entries by their key (`index/<kind>/<key>/…`). Entries of keys that begin alike come mixed, in any
 * order, so only these are held in memory.
 */
export async function* groupedByKey<T>(
  items: AsyncIterable<ListedBlob>,
  keep: (item: ListedBlob) => T,
): AsyncGenerator<readonly [key: string, kept: readonly T[]]> {
  let groups = new Map<string, T[]>();
  let shard = '';
  for await (const item of items) {
    const key = item.name.split('/')[2] ?? '';
    const its = key.slice(0, shardLength);
    if (its !== shard) {
      yield* groups;
      groups = new Map();
      shard = its;
    }
    const group = groups.get(key);
    if (group) group.push(keep(item));
    else groups.set(key, [keep(item)]);
  }
  yield* groups;
}
