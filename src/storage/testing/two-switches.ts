/**
 * All orders of the storage calls of two actors with two switches between them: the first one makes some calls, then the
 * second one some, then the first one all that it has left. Of orders that differ only in calls next to each other that
 * have nothing to do with each other, one is tried, since they all have the same result.
 */
import type { Step } from './interleave.ts';

/** Tries one order. @returns the calls as they were made, as `interleave` does */
export type Try = (steps: readonly Step[]) => Promise<readonly string[]>;

const reads = ['stat', 'read', 'open', 'list'];

/** @returns how many orders were tried */
export async function tryTwoSwitches(attempt: Try): Promise<number> {
  const own = callsOf(0, await attempt([]));
  let tried = 1;
  for (const first of own.keys()) {
    // The second actor works to its end: these are its calls, however soon the first one goes on.
    const whole = await attempt([...steps(first, 0), { actor: 1, calls: Infinity }]);
    tried += 1;
    const others = leading(1, whole.slice(first));
    const last = own[first - 1];
    const start = last === undefined ? 0 : others.findIndex((call) => depend(last, call));
    if (start === -1) continue;
    let rest: readonly string[] = [];
    for (let second = start + 1; second < others.length; second++) {
      const call = others[second - 1]!;
      if (second > start + 1 && !rest.some((each) => depend(each, call))) continue;
      const order = await attempt(steps(first, second));
      tried += 1;
      rest = callsOf(0, order.slice(first));
    }
  }
  return tried;
}

export function steps(first: number, second: number): Step[] {
  return [
    { actor: 0, calls: first },
    { actor: 1, calls: second },
  ];
}

function callsOf(actor: number, order: readonly string[]): readonly string[] {
  return order.filter((line) => line.startsWith(`${actor} `)).map(callIn);
}

/** The calls at the beginning that this actor makes in a row. */
function leading(actor: number, order: readonly string[]): readonly string[] {
  const end = order.findIndex((line) => !line.startsWith(`${actor} `));
  return order.slice(0, end === -1 ? order.length : end).map(callIn);
}

const callIn = (line: string): string => line.slice(line.indexOf(' ') + 1);

/** Whether the result may be another one when these two change places. */
function depend(one: string, other: string): boolean {
  const [a = '', nameOfA = ''] = one.split(' ');
  const [b = '', nameOfB = ''] = other.split(' ');
  if (reads.includes(a) && reads.includes(b)) return false;
  // What is checked of a held link is whether its manifest was deleted before or after that.
  const names = [nameOfA, nameOfB].map((name) => name.split('/')[0]).sort();
  if (names.join() === 'links,messages' && !reads.includes(a) && !reads.includes(b)) return true;
  if (a === 'list') return nameOfB.startsWith(nameOfA);
  if (b === 'list') return nameOfA.startsWith(nameOfB);
  return nameOfA === nameOfB;
}
