import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowsOneClientOnly } from './one-client.ts';

test('loopback and at most one address beside it is one client', () => {
  for (const networks of [
    [],
    ['127.0.0.0/8', '::1/128'],
    ['127.0.0.1'],
    ['192.0.2.25'],
    ['192.0.2.25/32', '127.0.0.0/8'],
    ['2001:db8::25/128', '::1'],
  ])
    assert.ok(allowsOneClientOnly(networks), networks.join());
});

test('a network, or two addresses, are several', () => {
  for (const networks of [['192.0.2.0/24'], ['192.0.2.25', '192.0.2.26'], ['2001:db8::/64'], ['0.0.0.0/0', '::1']])
    assert.ok(!allowsOneClientOnly(networks), networks.join());
});
