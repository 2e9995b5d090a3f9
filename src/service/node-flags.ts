/**
 * What a process of Node's is started with. V8's flags are set here and nowhere else: Node documents crashes when they
 * change in a running process.
 */
import type { Role } from './messages.ts';

/**
 * Node's own code on large pages, where the system has them: a tenth less time for small mail on Node 20, which spends
 * much of it waiting for code. Only where several processes share a machine's load, because no page is shared then:
 * 24 MB for each process on Node 20. On Node 24 it is 40 MB, more than two workers may take, and no gain was seen.
 */
const largePages = '--use-largepages=silent';
const newestWithLargePages = 22;

/** See runtime/minor-collection.ts. Waking other threads for the little that survives takes longer than doing it. */
const earlyCollection = ['--expose-gc', '--no-parallel-scavenge', '--no-concurrent-array-buffer-sweeping'];

/**
 * Pages and downloads make little that lives for a moment, so V8 may look for it more often (the size is in MiB). Large
 * pages gain them nothing (measured: 0.27 ms of CPU for a page with and without) and cost 24 MB.
 */
const forLinks = ['--max-semi-space-size=2', '--use-largepages=off'];

export function nodeFlags(role: Role, workers: number, node = process.versions.node): readonly string[] {
  if (role === 'links') return forLinks;
  const onLargePages = workers > 1 && Number.parseInt(node, 10) <= newestWithLargePages;
  return [...earlyCollection, ...(onLargePages ? [largePages] : [])];
}
