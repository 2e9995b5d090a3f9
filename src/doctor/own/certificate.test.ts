import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datesOf } from './certificate.ts';
import { inClear } from './public-url.ts';

const now = Date.parse('2026-11-28T12:00:00Z');
const inDays = (days: number): number => now + days * 86_400_000;

test('dates of a certificate: over is a fault, soon is a warning, later is nothing', () => {
  const found = (days: number) => datesOf({ ends: inDays(days) }, { where: 'b.example.net:25', now });
  assert.deepEqual(found(-1), {
    result: 'fail',
    message: 'the certificate of b.example.net:25 has expired on 2026-11-27',
    fix: 'renew the certificate, and see why that does not happen by itself',
  });
  assert.equal(found(0)?.result, 'fail');
  assert.match(found(3.5)?.message ?? '', /ends in 3 days, on 2026-12-02/);
  assert.equal(found(13.9)?.result, 'warn');
  assert.equal(found(14), undefined);
  assert.equal(datesOf({ ends: NaN }, { where: 'b.example.net:25', now }), undefined);
});

test('http:// is a warning on a public address only', () => {
  const found = (url: string, ...addresses: string[]) => inClear(new URL(url), addresses).map(({ result }) => result);
  assert.deepEqual(found('http://files.example.com', '198.51.101.7'), ['warn']);
  assert.deepEqual(found('http://files.example.com', '10.0.0.7', '2001:4860:4860::8888'), ['warn']);
  assert.deepEqual(found('https://files.example.com', '198.51.101.7'), []);
  for (const inside of ['127.0.0.1', '10.0.0.7', '192.168.1.7', '::1', 'fd00::7'])
    assert.deepEqual(found('http://files.example.com', inside), [], inside);
});
