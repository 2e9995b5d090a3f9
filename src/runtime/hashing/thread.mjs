// @ts-check
/**
 * The thread that hashes: what it is sent, in the order in which it was sent. Not TypeScript, since a thread starts
 * without the loader that the tests run with.
 */
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';

/** How many jobs are done. */
const done = /** @type {Int32Array} */ (workerData);

/** @type {Map<number, import('node:crypto').Hash>} */
const hashes = new Map();

parentPort?.on('message', (/** @type {import('./hash-thread.ts').Job} */ { file, blocks, end }) => {
  const hash = hashes.get(file) ?? createHash('sha256');
  for (const block of blocks) hash.update(block);
  if (end === undefined) hashes.set(file, hash);
  else hashes.delete(file);
  Atomics.add(done, 0, 1);
  if (end === 'digest') {
    /** @type {import('./hash-thread.ts').Digest} */
    const digest = { file, sha256: hash.digest('hex') };
    parentPort?.postMessage(digest);
  }
});
