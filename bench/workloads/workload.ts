import type { Figure } from '../measure/figure.ts';
import type { Build } from '../peers/builds.ts';

/** What a workload gets: how long to measure, and where figures go. */
export interface Bench {
  readonly rounds: number;
  /** A quick look in a tenth of the time: fewer situations, shorter runs. */
  readonly quick: boolean;
  /** Other builds, and other Nodes, measured beside this checkout's. */
  readonly builds: readonly Build[];
  /** Compares only builds, no other programs. */
  readonly buildsOnly: boolean;
  record(figure: Figure): void;
  /** Shows progress to the user. */
  progress(text: string): void;
  /**
   * Runs one measurement. If a peer fails, the others are still measured; the failure is reported and the run fails.
   */
  attempt(what: string, work: () => Promise<void>): Promise<void>;
}

export interface Workload {
  readonly name: string;
  readonly title: string;
  run(bench: Bench): Promise<void>;
}

export const mebibyte = 2 ** 20;

interface Stoppable {
  stop(): Promise<unknown>;
}

/** All that runs, in the order in which it was started. */
const running: Stoppable[] = [];

/** Starts things and stops them in reverse order, also after an error. */
export async function withStarted(
  work: (use: <T extends Stoppable>(starting: Promise<T>) => Promise<T>) => Promise<void>,
): Promise<void> {
  const before = running.length;
  try {
    await work(async (starting) => {
      const thing = await starting;
      running.push(thing);
      return thing;
    });
  } finally {
    await stopDownTo(before);
  }
}

async function stopDownTo(count: number): Promise<void> {
  for (const thing of running.splice(count).reverse()) await thing.stop();
}

/** Stops the started servers when a run is interrupted. */
export function stopWhenInterrupted(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void stopDownTo(0).finally(() => process.exit(130));
    });
  }
}
