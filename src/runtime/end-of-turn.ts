let due: (() => void)[] = [];

/**
 * Calls back when all that is ready in this turn of the event loop has been worked on.
 *
 * What one turn has to say to several neighbours is said then, in a row: the first write wakes them, which costs the
 * sender several times a write to somebody awake, and the others find them awake.
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
