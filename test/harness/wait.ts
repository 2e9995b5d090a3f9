import { setTimeout as pause } from 'node:timers/promises';

/** How long a test waits for something that takes milliseconds on an idle machine. It is only a bound. */
export const patience = 60_000;

export interface WaitOptions {
  /** Completes "gave up waiting for …". */
  readonly what: string;
  /** Milliseconds. */
  readonly bound?: number;
  /** Milliseconds between two questions: more where asking starts a process. */
  readonly every?: number;
  /** Added to the error, so that a failure in CI explains itself. */
  readonly detail?: () => string;
}

/** Asks repeatedly until the answer is neither undefined nor false. */
export async function waitFor<T>(
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  { what, bound = patience, every = 10, detail }: WaitOptions,
): Promise<T> {
  const end = Date.now() + bound;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) {
      throw new Error(`gave up waiting for ${what} after ${bound} ms${detail ? `\n${detail()}` : ''}`);
    }
    await pause(every);
  }
}
