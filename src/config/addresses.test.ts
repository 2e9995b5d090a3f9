import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNextHop, nextHop } from './addresses.ts';

test('next hops are told as they are configured', () => {
  for (const text of ['b.example:25', '192.0.2.1:25', '[2001:db8::1]:25', 'unix:/run/b.sock'])
    assert.equal(formatNextHop(nextHop.parse(text)), text);
});
