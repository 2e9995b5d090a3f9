import type { ListedBlob } from '../../blobs.ts';

/** Characters by which a directory divides the names of any index: within them a listing has no order. */
const shardLength = 2;

/**
 * Index entries by what they are listed under (`index/<kind>/<key>/…`). Entries of a key come in any order with those
 * of other keys that begin the same, and with no others: these are what is held.
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
