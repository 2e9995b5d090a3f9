import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNextHop, nextHop } from './addresses.ts';

test('next hops are told as they are configured', () => {
  for (const text of ['b.example:25', '192.0.2.1:25', '[2001:db8::1]:25', 'unix:/run/b.sock'])
    assert.equal(formatNextHop(nextHop.parse(text)), text);
});

test('a host in brackets, as Postfix writes it, is that host', () => {
  assert.deepEqual(nextHop.parse('[mail-b.example.com]:25'), { kind: 'tcp', host: 'mail-b.example.com', port: 25 });
  assert.deepEqual(nextHop.parse('[192.0.2.1]:25'), { kind: 'tcp', host: '192.0.2.1', port: 25 });
  for (const wrong of ['[]:25', '[mail b]:25', '[mail]', '2001:db8::1:25']) assert.throws(() => nextHop.parse(wrong));
});
