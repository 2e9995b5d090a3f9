/** In bytes. */
const maxGarbage = 4 * 1024 * 1024;

/** Defined when the process was started with `--expose-gc`. Without it V8 decides alone when to collect. */
const collect = (globalThis as { readonly gc?: (options: { readonly type: 'minor' }) => void }).gc;

let garbage = 0;

/**
 * To be told of memory that was used for a moment and is garbage now, such as text that was decoded.
 *
 * V8 would let 16 MiB of that pile up in each half of its young generation, together with the buffers of sockets that it
 * came in. Nearly nothing of it is still in use, so collecting early takes no more time in all.
 *
 * Measured: the peak of the whole service is 23 MB lower with one file of 25 or 100 MiB, and 15 MB lower with 20 files of
 * 25 MiB at a time. To take it out, remove the calls and `--expose-gc` in `service/node-flags.ts`.
 */
export function countGarbage(bytes: number): void {
  garbage += bytes;
  if (garbage < maxGarbage) return;
  garbage = 0;
  collect?.({ type: 'minor' });
}
