import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../smtp/failures.ts';

const tries = 6;
const firstPauseMs = 10;

/**
 * Retries a conditional change that competes with other processes: `step` returns undefined when another process was
 * faster, and is then tried again.
 * @throws Failure storageFailed when others were faster every time, and what `step` throws
 */
export async function contend<T>(what: string, step: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < tries; i++) {
    // The pause is random, so that the same two do not collide again.
    if (i > 0) await pause(Math.random() * firstPauseMs * 2 ** i);
    const result = await step();
    if (result !== undefined) return result;
  }
  throw new Failure('storageFailed', { reason: `storage: ${what}: changed by others ${tries} times` });
}
