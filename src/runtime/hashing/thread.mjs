// @ts-check
/**
 * The thread that hashes: what it is sent, in the order in which it was sent. Not TypeScript, since a thread starts
 * without the loader that the tests run with.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { parentPort, workerData } from 'node:worker_threads';

/** How many jobs are done. */
const done = /** @type {Int32Array} */ (workerData);

/** @type {Map<number, { hash: import('node:crypto').Hash, crc: number }>} */
const sums = new Map();

parentPort?.on('message', (/** @type {import('./hash-thread.ts').Job} */ { file, blocks, end }) => {
  const sum = sums.get(file) ?? { hash: createHash('sha256'), crc: 0 };
  for (const block of blocks) {
    sum.hash.update(block);
    sum.crc = crc32(block, sum.crc);
  }
  if (end === undefined) sums.set(file, sum);
  else sums.delete(file);
  Atomics.add(done, 0, 1);
  if (end === 'digest') {
    /** @type {import('./hash-thread.ts').Digest} */
    const digest = { file, sha256: sum.hash.digest('hex'), crc32: sum.crc };
    parentPort?.postMessage(digest);
  }
});
