import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../smtp/failures.ts';

const tries = 6;
const firstPauseMs = 10;

/**
 * Does what others may do at the same time, on condition that they have not: `step` gives undefined when they have, and
 * is tried again.
 * @throws Failure storageFailed when they have every time, and what `step` throws
 */
export async function contend<T>(what: string, step: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < tries; i++) {
    // Drawn by lot, or those who met will meet again.
    if (i > 0) await pause(Math.random() * firstPauseMs * 2 ** i);
    const result = await step();
    if (result !== undefined) return result;
  }
  throw new Failure('storageFailed', { reason: `storage: ${what}: changed by others ${tries} times` });
}
