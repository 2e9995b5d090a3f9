/**
 * Searches the possible orders of the storage calls of deliveries, `erase`, `sweep`, `extend`, `hold` and `revoke`: all
 * orders of two of them with two switches, and random orders of up to four.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../test/harness/property.ts';
import { interleave, type Step } from '../testing/interleave.ts';
import { ages, checkLater, checkNow, type Deed, deeds, shared, World } from '../testing/race-world.ts';
import { fileOf } from '../testing/store-message.ts';
import { steps, tryTwoSwitches } from '../testing/two-switches.ts';

async function race(age: number, actors: readonly Deed[], steps: readonly Step[]): Promise<readonly string[]> {
  const world = new World();
  await world.begin(age);
  const order = await interleave(
    world.blobs,
    actors.map((deed) => () => world.act(deed)),
    steps,
  );
  try {
    checkNow(world, order);
    await checkLater(world);
    return order;
  } catch (error) {
    throw new Error(
      `${String(error)}\n${JSON.stringify([age, actors, steps, [...world.results]])}\n${order.join('\n')}`,
      {
        cause: error,
      },
    );
  }
}

const pairs = deeds.flatMap((a) => deeds.filter((b) => b !== a).map((b) => [a, b] as const));

/** A part of the orders; all of them with `DETACH_RACES=all`, which takes a quarter of an hour of CPU. */
const everySwitch = process.env['DETACH_RACES'] === 'all';

test('two at the same time, with two switches between them', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  for (const age of everySwitch ? ages : [2, 100]) {
    for (const [i, pair] of pairs.entries()) {
      if (everySwitch) await tryTwoSwitches((order) => race(age, pair, order));
      else await trySome(age, pair, i);
    }
  }
});

async function trySome(age: number, pair: readonly Deed[], seed: number): Promise<void> {
  const alone = await race(age, pair, []);
  const calls = alone.filter((line) => line.startsWith('0 ')).length;
  for (let first = 0; first < calls; first++) {
    for (let second = 1; second <= alone.length - calls; second++) {
      if ((first * 7 + second * 3 + seed + age) % 997 === 0) await race(age, pair, steps(first, second));
    }
  }
}

test('up to four at the same time, in any order', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const actors = fc.uniqueArray(fc.constantFrom(...deeds), { minLength: 2, maxLength: 4 });
  const steps = fc.array(fc.record({ actor: fc.nat(3), calls: fc.integer({ min: 1, max: 12 }) }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...ages), actors, steps, async (age, who, order) => {
      await race(
        age,
        who,
        order.map(({ actor, calls }) => ({ actor: actor % who.length, calls })),
      );
    }),
    { numRuns: everySwitch ? 5000 : 40 },
  );
});

// An entry of a page that is gone, a link without a file that `extend` kept, a renewed link without index
// entries, a held one without.
test('what the search has found', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  await race(2, ['sweep', 'erase two'], steps(4, 66));
  await race(100, ['erase one', 'deliver one', 'extend one'], [{ actor: 1, calls: 6 }]);
  await race(130, ['deliver one', 'sweep'], steps(1, 15));
  await race(130, ['extend one', 'sweep'], steps(1, 16));
  await race(0, ['erase one', 'deliver one', 'hold one'], [{ actor: 1, calls: 2 }]);
});

test('the search sees a file that is deleted under a delivery', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const world = new World();
  await world.begin(2);
  await world.act('deliver one');
  world.blobs.held.delete(`files/${fileOf(shared.bytes).sha256}`);
  assert.throws(() => checkNow(world), /its file is gone/);
});
