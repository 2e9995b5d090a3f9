import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { MemoryBlobs } from './memory-blobs.ts';

/** Somebody who works with storage at the same time as others. */
export type Actor = () => Promise<unknown>;

/**
 * Lets this actor make `calls` storage calls; then comes the next step. After all steps each actor works to its end in
 * turn.
 */
export interface Step {
  readonly actor: number;
  readonly calls: number;
}

/** Longer than any pause between tries: actors must not wait for each other. */
const stuckMs = 60_000;

interface Parked {
  readonly operation: string;
  readonly go: () => void;
}

/** One for all searches: each one that was ever used makes every later promise of the process slower. */
const current = new AsyncLocalStorage<number>();

/** Each call to storage waits until it is its actor's turn, so the steps fix the order of all calls. */
export async function interleave(
  blobs: MemoryBlobs,
  actors: readonly Actor[],
  steps: readonly Step[],
): Promise<readonly string[]> {
  const parked = new Map<number, Parked[]>();
  const ended = new Set<number>();
  const order: string[] = [];
  blobs.turn = (operation) => {
    const actor = current.getStore();
    if (actor === undefined) return undefined;
    return new Promise((go) => parked.set(actor, [...(parked.get(actor) ?? []), { operation, go }]));
  };
  const running = actors.map((work, i) => current.run(i, work).finally(() => ended.add(i)));
  /** False: it has ended. */
  const advance = async (actor: number): Promise<boolean> => {
    const since = performance.now();
    while (!ended.has(actor)) {
      await nextTurn();
      const [next, ...others] = parked.get(actor) ?? [];
      if (!next) {
        // It pauses for a moment, because another one was faster.
        if (ended.has(actor)) break;
        if (performance.now() - since > stuckMs) throw new Error(`actor ${actor} waits for another one`);
        await pause(1);
        continue;
      }
      parked.set(actor, others);
      order.push(`${actor} ${next.operation}`);
      next.go();
      await nextTurn();
      return true;
    }
    return false;
  };
  try {
    for (const { actor, calls } of steps) {
      for (let i = 0; i < calls; i++) if (!(await advance(actor))) break;
    }
    for (const actor of actors.keys()) while (await advance(actor));
    await Promise.all(running);
    return order;
  } finally {
    blobs.turn = () => undefined;
  }
}
