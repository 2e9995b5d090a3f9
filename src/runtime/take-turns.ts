/**
 * Keeps long work on one message from delaying all others: it costs nothing measurable where work is short, and holds
 * the event loop for some 10 ms at most where bytes come faster than they are worked on. Take out the calls and one
 * message of 26 MiB, whose blocks are all in memory, stops everything else for 50 ms and more.
 */

/** Milliseconds of work after which others get their turn. */
const maxWorkMs = 8;

let since = performance.now();

/** To be awaited between two steps of a long work; undefined as long as nobody needs to wait. */
export function takeTurns(): Promise<void> | undefined {
  return performance.now() - since > maxWorkMs ? nextTurn() : undefined;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => {
      since = performance.now();
      resolve();
    });
  });
}
