import type { Figure } from '../measure/figure.ts';

/** What a workload is given: how long to take, and where figures go. */
export interface Bench {
  readonly rounds: number;
  /** A first look in a tenth of the time: fewer situations, shorter runs. */
  readonly quick: boolean;
  /** The folder of another build, measured beside this checkout's. */
  readonly baseline?: string;
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

/** Starts things and stops them in reverse order, whatever happened between. */
export async function withStarted(
  work: (use: <T extends Stoppable>(starting: Promise<T>) => Promise<T>) => Promise<void>,
): Promise<void> {
  const started: Stoppable[] = [];
  try {
    await work(async (starting) => {
      const thing = await starting;
      started.push(thing);
      return thing;
    });
  } finally {
    for (const thing of started.reverse()) await thing.stop();
  }
}
