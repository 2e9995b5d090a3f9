// Loaded into Azurite. It asks its database for the account first and for the name last, and so looks through all blobs
// of the account for each request. Here it asks for the name first.
import { createRequire } from 'node:module';

/**
 * What is used of it.
 * @typedef {{ findOne(query: Readonly<Record<string, unknown>>): unknown }} Collection
 * @typedef {new (name: string) => { addCollection(name: string): Collection }} Database
 */

const Loki = /** @type {Database} */ (createRequire(createRequire(import.meta.url).resolve('azurite'))('lokijs'));
const prototype = /** @type {Collection} */ (Object.getPrototypeOf(new Loki('none').addCollection('none')));
const { findOne } = prototype;
prototype.findOne = function (query) {
  return findOne.call(this, 'name' in query && 'snapshot' in query ? { name: query.name, ...query } : query);
};
