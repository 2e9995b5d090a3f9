// Loaded into Azurite, which looks at all blobs of the account for each request. Here it finds blobs by their name, as
// Azure does. One module: with two, Node's loader waits for itself.
import { createRequire } from 'node:module';

/**
 * What is used of it.
 * @typedef {{ findOne(query: Readonly<Record<string, unknown>>): unknown }} Collection
 * @typedef {new (name: string) => { addCollection(name: string): Collection }} Database
 * @typedef {{ readonly name: string, readonly containerName: string, readonly isCommitted: boolean, readonly snapshot: string }} Blob
 * @typedef {{ readonly data: readonly Blob[], readonly binaryIndices: { readonly name: { readonly values: readonly number[] } } }} Blobs
 * @typedef {{ readonly db: { getCollection(name: string): Blobs }, readonly BLOBS_COLLECTION: string }} Store
 */

const azurite = createRequire(createRequire(import.meta.url).resolve('azurite'));
const Loki = /** @type {Database} */ (azurite('lokijs'));

// It asks its database for the account first and for the name last.
const collection = /** @type {Collection} */ (Object.getPrototypeOf(new Loki('none').addCollection('none')));
const { findOne } = collection;
collection.findOne = function (query) {
  return findOne.call(this, 'name' in query && 'snapshot' in query ? { name: query.name, ...query } : query);
};

// For each page of a listing it sorts all that is left of the listing.
const store = azurite('./blob/persistence/LokiBlobMetadataStore.js').default.prototype;

/**
 * @this {Store}
 * @param {unknown} context
 * @param {unknown} account
 * @param {string} container
 * @param {string | undefined} delimiter
 * @param {string | undefined} blob
 */
store.listBlobs = async function (context, account, container, delimiter, blob, prefix = '', size = 5000, marker = '') {
  if (delimiter !== undefined || blob !== undefined) throw new Error('only flat listings');
  const { data, binaryIndices } = this.db.getCollection(this.BLOBS_COLLECTION);
  const { values } = binaryIndices.name;
  const nameAt = (/** @type {number} */ i) => data[values[i] ?? 0]?.name ?? '';
  const found = [];
  for (
    let i = firstAfter({ length: values.length, isAfter: (at) => nameAt(at) >= prefix && nameAt(at) > marker });
    ;
    i++
  ) {
    const each = data[values[i] ?? -1];
    if (!each?.name.startsWith(prefix)) return [found, [], ''];
    if (each.containerName !== container || !each.isCommitted || each.snapshot !== '') continue;
    found.push(each);
    if (found.length === size) return [found, [], each.name];
  }
};

/** @param {{ readonly length: number, readonly isAfter: (i: number) => boolean }} sorted */
function firstAfter({ length, isAfter }) {
  let from = 0;
  for (let to = length; from < to;) {
    const middle = Math.floor((from + to) / 2);
    if (isAfter(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
