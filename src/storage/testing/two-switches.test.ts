import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interleave } from './interleave.ts';
import { type Deed, World } from './race-world.ts';
import { type Try, steps, tryTwoSwitches } from './two-switches.ts';

/** @returns how an order is tried, and a set of all that came out so far */
function resultsOf(age: number, deeds: readonly Deed[]): { readonly attempt: Try; readonly found: Set<string> } {
  const found = new Set<string>();
  const attempt: Try = async (order) => {
    const world = new World();
    await world.begin(age);
    const actors = deeds.map((deed) => () => world.act(deed));
    const calls = await interleave(world.blobs, actors, order);
    const blobs = [...world.blobs.held].map(([name, { bytes, metadata }]) => [name, String(bytes), metadata]);
    found.add(JSON.stringify([blobs.sort(), [...world.results].sort()]));
    return calls;
  };
  return { attempt, found };
}

/** @returns how many there are */
async function tryEach(attempt: Try): Promise<number> {
  const own = (await attempt([])).filter((line) => line.startsWith('0 ')).length;
  let tried = 1;
  for (let first = 0; first < own; first++) {
    for (let second = 1; ; second++) {
      const order = await attempt(steps(first, second));
      tried += 1;
      const isOver = order.slice(first, first + second).some((line) => line.startsWith('0 '));
      if (isOver) break;
    }
  }
  return tried;
}

for (const [age, ...pair] of [
  [2, 'hold one', 'revoke one'],
  [100, 'deliver one', 'revoke one'],
  [0, 'erase one', 'extend one'],
] as const)
  test(`of '${pair[0]}' and '${pair[1]}' the orders that are left out have the same results as those that are tried`, async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const every = resultsOf(age, pair);
    const some = resultsOf(age, pair);
    const all = await tryEach(every.attempt);
    const tried = await tryTwoSwitches(some.attempt);
    assert.ok(tried < all, `${tried} of ${all}`);
    assert.ok(every.found.size > 1);
    assert.deepEqual([...some.found].sort(), [...every.found].sort());
  });
