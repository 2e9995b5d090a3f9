// @ts-check
/**
 * The thread that hashes: what it is sent, in the order in which it was sent. Not TypeScript, since a thread starts
 * without the loader that the tests run with.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { parentPort, workerData } from 'node:worker_threads';

const { done, md5Bytes } = /** @type {import('./hash-thread.ts').ThreadData} */ (workerData);

/** MD5 sums of a file, of so many bytes each. */
class Md5Sums {
  /** @type {string[]} */
  #sums = [];
  #hash = createHash('md5');
  #room = md5Bytes;

  /** @param {Uint8Array} block */
  update(block) {
    for (let at = 0; at < block.length;) {
      if (this.#room === 0) this.#next();
      const piece = block.subarray(at, at + this.#room);
      this.#hash.update(piece);
      this.#room -= piece.length;
      at += piece.length;
    }
  }

  digest() {
    this.#next();
    return this.#sums;
  }

  #next() {
    this.#sums.push(this.#hash.digest('base64'));
    this.#hash = createHash('md5');
    this.#room = md5Bytes;
  }
}

/** @type {Map<number, { hash: import('node:crypto').Hash, crc: number, md5: Md5Sums | undefined }>} */
const sums = new Map();

parentPort?.on('message', (/** @type {import('./hash-thread.ts').Job} */ { file, blocks, end, md5 }) => {
  const sum = sums.get(file) ?? { hash: createHash('sha256'), crc: 0, md5: md5 ? new Md5Sums() : undefined };
  for (const block of blocks) {
    sum.hash.update(block);
    sum.crc = crc32(block, sum.crc);
    sum.md5?.update(block);
  }
  if (end === undefined) sums.set(file, sum);
  else sums.delete(file);
  Atomics.add(done, 0, 1);
  if (end === 'digest') {
    const md5s = sum.md5 && { md5: sum.md5.digest() };
    /** @type {import('./hash-thread.ts').Digest} */
    const digest = { file, sha256: sum.hash.digest('hex'), crc32: sum.crc, ...md5s };
    parentPort?.postMessage(digest);
  }
});
