/** Leading characters of a key by which a directory orders every index. Names that share them come in any order. */
const shardLength = 2;

/**
 * Groups index entries by their key (`index/<kind>/<key>/…`). Entries of keys that begin alike come mixed, in any
 * order, so only these are held in memory.
 */
export async function* groupedByKey<T>(
  items: AsyncIterable<T>,
  nameOf: (item: T) => string,
): AsyncGenerator<readonly [key: string, items: readonly T[]]> {
  let groups = new Map<string, T[]>();
  let shard = '';
  for await (const item of items) {
    const key = nameOf(item).split('/')[2] ?? '';
    const its = key.slice(0, shardLength);
    if (its !== shard) {
      yield* groups;
      groups = new Map();
      shard = its;
    }
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  yield* groups;
}
