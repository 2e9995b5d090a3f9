/** Ctrl-C, `npm run lab -- stop`, or the end of the terminal. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Interrupted extends Error {
  constructor() {
    super('interrupted');
  }
}

/** Aborts at the first of these signals. Further ones are ignored, so that a second Ctrl-C leaves nothing running. */
export function interruptions(): AbortSignal {
  const controller = new AbortController();
  for (const name of signals) process.on(name, () => controller.abort());
  return controller.signal;
}

/** Waits for the work. @throws Interrupted at once when the signal comes first: the work is then left to itself */
export async function unlessInterrupted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  const end = new AbortController();
  const early = new Promise<never>((_, reject) => {
    const give = (): void => reject(new Interrupted());
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true, signal: end.signal });
  });
  return Promise.race([work, early]).finally(() => end.abort());
}

/**
 * What an error means once the signal has come: Ctrl-C on a terminal also ends the programs that were being started, and
 * their errors say nothing.
 */
export const meaningOf = (signal: AbortSignal, error: unknown): unknown => (signal.aborted ? new Interrupted() : error);

/** Resolves when the signal has come, and keeps the process running until then. */
export function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const hold = setInterval(() => undefined, 3_600_000);
    const end = (): void => {
      clearInterval(hold);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
