import type { Figure } from '../measure/figure.ts';
import type { Build } from '../peers/builds.ts';

/** What a workload is given: how long to take, and where figures go. */
export interface Bench {
  readonly rounds: number;
  /** A first look in a tenth of the time: fewer situations, shorter runs. */
  readonly quick: boolean;
  /** Other builds, and other Nodes, measured beside this checkout's. */
  readonly builds: readonly Build[];
  /** Builds alone are compared; other programs are left out. */
  readonly buildsOnly: boolean;
  record(figure: Figure): void;
  /** For whoever watches. */
  progress(text: string): void;
  /** A peer that fails one situation must not cost all the others: the failure is reported, and the run fails. */
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

/** Starts things and stops them in reverse order, whatever happened between. */
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

/** Whoever interrupts a run of an hour does not want its Postfix servers to stay. */
export function stopWhenInterrupted(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void stopDownTo(0).finally(() => process.exit(130));
    });
  }
}
