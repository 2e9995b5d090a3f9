import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/harness/property.ts';
import type { Guard } from './interface.ts';
import { guardWith, key } from './testing/guard.ts';

const guardOf = (cluster: string, fills: readonly number[] = [1], maxPasses = 1): Guard =>
  guardWith({ cluster, keys: fills.map((fill) => key(`k${fill}`, fill)), maxPasses });

test('a call that has come through us is refused, one that came through others is not', () => {
  const us = guardOf('us');
  const them = guardOf('them');
  assert.equal(us.admits(undefined), true);
  const chain = them.extendChain(us.extendChain(undefined));
  assert.equal(chain, `${us.fingerprint},${them.fingerprint}`);
  assert.equal(us.admits(chain), false);
  assert.equal(guardOf('a third').admits(chain), true);
});

test('maxPasses allows as many', () => {
  const twice = guardOf('us', [1], 2);
  const once = twice.extendChain(undefined);
  assert.equal(twice.admits(once), true);
  assert.equal(twice.admits(twice.extendChain(once)), false);
});

test('two clusters in a ring call each other at most once round', () => {
  const ring = [guardOf('a'), guardOf('b'), guardOf('c')];
  let chain: string | undefined;
  let calls = 0;
  for (let at = 0; ring[at % 3]!.admits(chain); at += 1) {
    chain = ring[at % 3]!.extendChain(chain);
    calls += 1;
  }
  assert.equal(calls, 3);
});

test('replicas know one another while keys rotate', () => {
  const before = guardOf('us', [1, 2]);
  const after = guardOf('us', [2, 1]);
  assert.notEqual(before.fingerprint, after.fingerprint);
  assert.equal(after.isOurs(before.fingerprint), true);
  assert.equal(before.isOurs(` ${after.fingerprint} `), true);
  assert.equal(after.admits(before.extendChain(undefined)), false);
});

test('a fingerprint is nobody else’s, and tells nothing', () => {
  const us = guardOf('us');
  assert.equal(us.isOurs(undefined), false);
  assert.equal(us.isOurs(''), false);
  assert.equal(us.isOurs(guardOf('them').fingerprint), false);
  assert.equal(us.isOurs(guardOf('us', [9]).fingerprint), false);
  assert.match(us.fingerprint, /^[\w-]{11}$/);
});

test('a chain without end is refused', () => {
  assert.equal(guardOf('us').admits(Array.from({ length: 20 }, (_, i) => `stranger${i}`).join(',')), false);
  assert.equal(guardOf('us').admits('x'.repeat(1000)), false);
});

test('what is no chain is ignored and not passed on', () => {
  const us = guardOf('us');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (garbage) => {
      fc.pre(!garbage.includes(us.fingerprint));
      assert.equal(us.admits(garbage.slice(0, 50)), true);
      const extended = us.extendChain(garbage);
      // RFC 5321 section 4.1.2, esmtp-value
      assert.match(extended, /^[!-<>-~]+$/);
      assert.equal(us.admits(extended), false);
    }),
  );
  assert.ok(us.extendChain(Array.from({ length: 500 }, () => 'y'.repeat(64)).join(',')).length <= 512);
});
