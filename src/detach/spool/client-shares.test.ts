import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientShares } from './client-shares.ts';

const hour = 3_600_000;

test('who is alone may hold everything', () => {
  const shares = new ClientShares(100);
  for (let i = 0; i < 10; i++) {
    assert.equal(shares.shareOf('192.0.2.1'), 100);
    shares.take('192.0.2.1', 10);
  }
  assert.equal(shares.heldBy('192.0.2.1'), 100);
});

test('with another one present each has half, and whoever holds more takes no more', () => {
  const shares = new ClientShares(100);
  shares.shareOf('192.0.2.1');
  shares.take('192.0.2.1', 90);
  assert.equal(shares.shareOf('192.0.2.2'), 50);
  assert.equal(shares.shareOf('192.0.2.1'), 50);
});

test('the largest message fits into a share, however small the spool', () => {
  const shareBeside = (maxBytes: number): number => {
    const shares = new ClientShares(maxBytes, { maxMessageBytes: 100 });
    shares.shareOf('192.0.2.2');
    return shares.shareOf('192.0.2.1');
  };
  assert.deepEqual([50, 100, 150, 200, 300].map(shareBeside), [50, 100, 100, 100, 150]);
});

test('another one is present for a day after its last message, and for as long as it holds anything', () => {
  let now = 0;
  const shares = new ClientShares(100, { now: () => now });
  shares.shareOf('192.0.2.2');
  now = 23 * hour;
  assert.equal(shares.shareOf('192.0.2.1'), 50);
  now = 25 * hour;
  assert.equal(shares.shareOf('192.0.2.1'), 100);
  shares.shareOf('192.0.2.2');
  shares.take('192.0.2.2', 1);
  now = 100 * hour;
  assert.equal(shares.shareOf('192.0.2.1'), 50);
});

test('any number of addresses is remembered in bounded memory, and who holds something is never forgotten', () => {
  const shares = new ClientShares(100);
  shares.shareOf('192.0.2.1');
  shares.take('192.0.2.1', 40);
  for (let i = 0; i < 5000; i++) shares.shareOf(`2001:db8::${i.toString(16)}`);
  assert.equal(shares.heldBy('192.0.2.1'), 40);
});
