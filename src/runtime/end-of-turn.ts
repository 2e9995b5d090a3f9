let due: (() => void)[] = [];

/**
 * Calls back when all that is ready in this turn of the event loop has been worked on.
 *
 * Batches the writes of one turn. A write to a process that sleeps costs the sender several times as much as one to a
 * process that is awake; in a batch only the first one has to wake it.
 *
 * Measured: a seventh less CPU for small mail (495 µs instead of 579, bursts of two builds in turn). To take it out, call back at once with
 * `process.nextTick`; the order of what is written stays the same.
 */
export function atEndOfTurn(callback: () => void): void {
  if (due.length === 0) setImmediate(run);
  due.push(callback);
}

function run(): void {
  const callbacks = due;
  due = [];
  for (const callback of callbacks) callback();
}
