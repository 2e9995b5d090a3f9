import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  a,
  asMilter,
  asProxy,
  b,
  back,
  beforeQueue,
  describe,
  milter,
  single,
  singleRelayhost,
} from './testing/broken-set-ups.ts';
import { examineNeighbours, type SetUp } from './testing/neighbour-lab.ts';

const shipped: readonly (SetUp & { readonly name: string })[] = [
  { name: 'two servers', postfix: [a, b] },
  { name: 'the same, other way round', postfix: [b, a] },
  { name: 'A alone', postfix: [a] },
  { name: 'B alone, on this machine', postfix: [b], config: { outbound: { nextHop: ['127.0.0.1:25'] } } },
  { name: 'one server, after its queue', postfix: [single], config: back },
  { name: 'one server, with relayhost', postfix: [singleRelayhost], config: back },
  { name: 'one server, before its queue', postfix: [beforeQueue], config: asProxy },
  { name: 'one server, as its Milter', postfix: [milter], config: asMilter },
];

for (const { name, ...setUp } of shipped) {
  test(`no false alarm on what is shipped: ${name}`, async (t) => {
    const found = await examineNeighbours(t, setUp);
    assert.deepEqual(
      found.filter(({ result }) => result !== 'ok'),
      [],
    );
    assert.ok(found.length >= 5, describe(found));
  });
}
