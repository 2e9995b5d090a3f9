import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { UrlSigner } from './signed-url.ts';

const minute = 60_000;
const period = 5 * minute;
const start = 1_800_000_000_000 - (1_800_000_000_000 % period);
const key = new StorageSharedKeyCredential('example', Buffer.alloc(32).toString('base64'));
const atAzure = 'https://example.blob.core.windows.net/detach';
const atEmulator = 'http://127.0.0.1:10000/devstoreaccount1/detach';
const file = { name: 'plan.pdf', type: 'application/pdf' };

function sign(now: number, cdnUrl?: string, container = atAzure): Promise<string> {
  return new UrlSigner(new ContainerClient(container, key), { now: () => now, cdnUrl }).sign('files/ab', file);
}

const times = (url: string): number[] => {
  const { searchParams } = new URL(url);
  return ['st', 'se'].map((name) => Date.parse(searchParams.get(name)!));
};

test('for a CDN the same address repeats for 5 minutes, and lives for 10 to 15 minutes', async () => {
  const cdn = 'https://cdn.example.com';
  const first = await sign(start, cdn);
  for (const later of [1, minute, period - 1]) assert.equal(await sign(start + later, cdn), first);
  assert.notEqual(await sign(start + period, cdn), first);
  const [from = 0, until = 0] = times(first);
  assert.deepEqual([from % period, until % period], [0, 0]);
  assert.ok(from <= start - period);
  assert.equal(until - start, 15 * minute);
  assert.equal(new URL(first).searchParams.get('rscc'), 'public, max-age=240, must-revalidate');
});

test('a revoked link is gone within 20 minutes: the last address, and after its end the time at the edge', async () => {
  const remembered = 3000;
  for (let at = 0; at < period; at += 1000) {
    const revoked = start + at;
    const url = await sign(revoked + remembered, 'https://cdn.example.com');
    const edge = Number(/max-age=(\d+)/.exec(new URL(url).searchParams.get('rscc') ?? '')?.[1]) * 1000;
    assert.ok(edge <= period);
    assert.ok(times(url)[1]! + edge - revoked < 20 * minute);
  }
});

test('without a CDN every address is for one reader', async () => {
  const url = await sign(start + 1000);
  assert.ok(url.startsWith(`${atAzure}/files/ab?`));
  assert.deepEqual(times(url), [start + 1000 - period, start + 1000 + 10 * minute]);
  assert.equal(new URL(url).searchParams.get('rscc'), 'private, no-store');
});

test('the address of the CDN stands for that of the account; path and query are those that were signed', async () => {
  const signed = new URL(await sign(start, 'https://cdn.example.com'));
  assert.equal(signed.origin + signed.pathname, 'https://cdn.example.com/detach/files/ab');
  const below = await sign(start, 'https://cdn.example.com/storage');
  assert.equal(below, `https://cdn.example.com/storage/detach/files/ab${signed.search}`);
  for (const cdn of ['http://edge', 'http://edge/devstoreaccount1']) {
    const { pathname } = new URL(await sign(start, cdn, atEmulator));
    assert.equal(pathname, '/devstoreaccount1/detach/files/ab');
  }
});
