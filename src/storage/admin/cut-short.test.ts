/**
 * A process is killed before one of its storage calls, each of them in turn. No link promises a file that is gone, and
 * whoever comes later finishes what was begun: the same command again, the message again, or two nights' sweeps.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eraseTimeMs, linkState } from '../link-record.ts';
import { ages, checkLater, checkNow, type Deed, deeds, World } from '../testing/race-world.ts';

/** What comes after the kill, and before the sweeps. */
const sequels: Readonly<Record<string, (killed: Deed) => readonly Deed[]>> = {
  nothing: () => [],
  'the same again': (killed) => [killed],
  'the messages again': () => ['deliver one', 'deliver two'],
};

/** All calls with `DETACH_RACES=all`, otherwise some of them. */
const step = process.env['DETACH_RACES'] === 'all' ? 1 : 11;

/** Does it until the call with this number, which is never made. @returns false when it ended before */
async function killedAt(world: World, deed: Deed, call: number): Promise<boolean> {
  let calls = 0;
  let kill: (isKilled: true) => void;
  const killed = new Promise<true>((resolve) => (kill = resolve));
  world.blobs.turn = () => {
    if (calls++ < call) return undefined;
    kill(true);
    return new Promise(() => undefined);
  };
  const isKilled = await Promise.race([killed, world.act(deed).then(() => false)]);
  world.blobs.turn = () => undefined;
  return isKilled;
}

function checkPromises(world: World): void {
  for (const [token] of world.blobs.kind('links')) {
    const link = world.link(token);
    if (link && linkState(link, world.now) === 'living') assert.ok(world.hasFile(link), 'a living link has no file');
  }
}

/** @returns the number of the first call that was never made */
async function tryAll(age: number, deed: Deed, sequel: string): Promise<number> {
  for (let call = age % step; ; call += step) {
    const world = new World();
    await world.begin(age);
    const isKilled = await killedAt(world, deed, call);
    try {
      checkPromises(world);
      for (const next of isKilled ? sequels[sequel]!(deed) : []) {
        await world.act(next);
        if (world.results.get(next) === 'failed') {
          // A message waits, deferred, as long as an `erase` of it may be at work.
          world.now += eraseTimeMs;
          await world.act(next);
        }
        assert.notEqual(world.results.get(next), 'failed', `${next} failed`);
        checkPromises(world);
      }
      checkNow(world);
      await checkLater(world);
      checkPromises(world);
    } catch (error) {
      throw new Error(`${deed} at ${age} days, killed before call ${call}, then ${sequel}: ${String(error)}`, {
        cause: error,
      });
    }
    if (!isKilled) return call;
  }
}

for (const sequel of Object.keys(sequels))
  test(`killed before any call, then ${sequel}`, async (t) => {
    t.mock.method(Math, 'random', () => 0);
    let calls = 0;
    for (const age of ages) for (const deed of deeds) calls += await tryAll(age, deed, sequel);
    assert.ok(calls > 500, `${calls} calls`);
  });
