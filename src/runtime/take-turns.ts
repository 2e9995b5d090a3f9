/**
 * Keeps long work on one message from delaying all others. Where bytes come faster than they are worked on, the event
 * loop is held for some 10 ms at most; where work is short, the cost cannot be measured.
 *
 * Measured: without it one message of 26 MiB, whose blocks are all in memory, stops everything else for 50 ms and more.
 * To take it out, remove the calls.
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
