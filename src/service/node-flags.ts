/**
 * What a process of Node's is started with. V8's flags are set here and nowhere else: Node documents crashes when they
 * change in a running process.
 */
import type { Role } from './messages.ts';

/**
 * Node's own code on large pages, where the system has them: a tenth less time for small mail, which spends much of it
 * waiting for code. 10 MB of memory for each process: only where several share a machine's load.
 */
const largePages = '--use-largepages=silent';

/** See runtime/minor-collection.ts. Waking other threads for the little that survives takes longer than doing it. */
const earlyCollection = ['--expose-gc', '--no-parallel-scavenge', '--no-concurrent-array-buffer-sweeping'];

/** Pages and downloads make little that lives for a moment: V8 may look for it more often. In MiB. */
const smallYoungSpace = '--max-semi-space-size=2';

export function nodeFlags(role: Role, workers: number): readonly string[] {
  return role === 'links' ? [smallYoungSpace] : [...earlyCollection, ...(workers > 1 ? [largePages] : [])];
}
