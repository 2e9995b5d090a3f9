import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalAddress, NetworkList } from './networks.ts';

const inside: readonly (readonly [string, string])[] = [
  ['127.0.0.0/8', '127.0.0.1'],
  ['127.0.0.0/8', '127.255.255.255'],
  ['127.0.0.0/8', '::ffff:127.0.0.1'],
  ['127.0.0.0/8', '::FFFF:7f00:1'],
  ['127.0.0.0/8', '0:0:0:0:0:ffff:127.0.0.1'],
  ['::ffff:127.0.0.0/104', '127.1.2.3'],
  ['::ffff:127.0.0.0/104', '::ffff:127.1.2.3'],
  ['::ffff:c000:201', '192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['0.0.0.0/0', '203.0.113.7'],
  ['::1/128', '::1'],
  ['::1', '0:0:0:0:0:0:0:1'],
  ['2001:db8::/32', '2001:db8:ffff::1'],
  ['2001:db8:1:2:3:4:192.0.2.0/120', '2001:db8:1:2:3:4:c000:2ff'],
  ['fe80::/10', 'fe80::1%eth0'],
  ['::/0', '2001:db8::1'],
];

const outside: readonly (readonly [string, string | undefined])[] = [
  ['127.0.0.0/8', '128.0.0.1'],
  ['127.0.0.0/8', '::1'],
  // The deprecated IPv4-compatible form is another address.
  ['127.0.0.0/8', '::127.0.0.1'],
  ['127.0.0.0/8', 'localhost'],
  ['127.0.0.0/8', '127.1'],
  ['127.0.0.0/8', ''],
  ['127.0.0.0/8', undefined],
  ['127.0.0.0/8', '64:ff9b::127.0.0.1'],
  ['192.0.2.1', '192.0.2.2'],
  ['::1/128', '::2'],
  // All of IPv6 is not all of IPv4: who wants both writes both.
  ['::/0', '203.0.113.7'],
  ['::/0', '::ffff:203.0.113.7'],
  ['0.0.0.0/0', '2001:db8::1'],
];

test('an address in a network', () => {
  for (const [network, address] of inside) {
    assert.equal(new NetworkList([network]).has(address), true, `${address} is in ${network}`);
    assert.equal(new NetworkList(['198.51.100.0/24', network, '2001:db8:aaaa::/48']).has(address), true, address);
  }
});

test('an address outside of a network', () => {
  for (const [network, address] of outside) {
    assert.equal(new NetworkList([network]).has(address), false, `${String(address)} is not in ${network}`);
  }
  assert.equal(new NetworkList([]).has('127.0.0.1'), false);
});

test('what is no network is refused by name', () => {
  const wrong = [
    '',
    'localhost',
    '127.0.0.1/33',
    '127.0.0.1/-1',
    '127.0.0.0/',
    '127.0.0.0/8/8',
    '127.0.0.0/ 8',
    '127.0.0.1/8',
    '::1/129',
    '::1/64',
    '1.2.3',
    '256.0.0.1',
    '2001:db8::/0x20',
    ' 127.0.0.1',
  ];
  for (const text of wrong) {
    assert.throws(
      () => new NetworkList(['127.0.0.0/8', text]),
      (error) => error instanceof RangeError && error.message.includes(JSON.stringify(text)),
      text,
    );
  }
});

test('an address has one spelling, and what is none stays as it is', () => {
  for (const [text, expected] of [
    ['::FFFF:192.0.2.9', '192.0.2.9'],
    ['::ffff:c000:209', '192.0.2.9'],
    ['192.0.2.9', '192.0.2.9'],
    ['::1', '::1'],
    ['2001:DB8:0:0:0:0:0:9', '2001:db8::9'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['', ''],
    ['example', 'example'],
  ] as const)
    assert.equal(canonicalAddress(text), expected);
});
