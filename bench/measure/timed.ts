import { cpuSeconds } from './process-tree.ts';

export interface Cost {
  /** Seconds. */
  readonly wall: number;
  /** Seconds of CPU of the processes that were watched. */
  readonly cpu: number;
}

/** Runs `work` and measures the elapsed time and the CPU time of `roots` and their descendants. */
export async function timed(roots: readonly number[], work: () => Promise<unknown>): Promise<Cost> {
  const cpu = cpuSeconds(roots);
  const start = process.hrtime.bigint();
  await work();
  const wall = Number(process.hrtime.bigint() - start) / 1e9;
  return { wall, cpu: cpuSeconds(roots) - cpu };
}
