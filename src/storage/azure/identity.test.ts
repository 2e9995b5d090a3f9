import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type Azurite, startAzurite } from '../../../test/harness/azurite.ts';
import type { Store } from '../interface.ts';
import { createStore } from '../store.ts';
import { fileOf } from '../testing/store-message.ts';

const { signal } = new AbortController();
let azurite: Azurite;
let directory: string;

before(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'identity-'));
  const [cert, key] = [path.join(directory, 'cert.pem'), path.join(directory, 'key.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', key, '-out', cert, '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', ...files, ...subject], { stdio: 'ignore' });
  azurite = await startAzurite({
    inMemory: true,
    protocol: 'https',
    args: ['--oauth', 'basic', '--cert', cert, '--key', key],
  });
  // The certificate is for this one server of this one test, whose process ends with it.
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
});
after(async () => {
  await azurite.stop();
  rmSync(directory, { recursive: true });
});

/** A token as Entra ID issues it; Azurite reads what it says and does not check who signed it. */
function tokenFor(audience: string): string {
  const seconds = Math.floor(Date.now() / 1000);
  const tenant = 'ab1f708d-50f6-404c-a006-d71b2ac7a606';
  const claims = { aud: audience, iss: `https://sts.windows.net/${tenant}/`, tid: tenant, oid: tenant };
  const times = { iat: seconds - 60, nbf: seconds - 60, exp: seconds + 3600 };
  return [{ alg: 'RS256', typ: 'JWT' }, { ...claims, ...times }, 'signature']
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
}

const asked: unknown[] = [];

const storeOf = (options: { readonly cdnUrl?: string; readonly now?: () => number } = {}): Store =>
  createStore({
    storage: { connectionString: undefined, accountUrl: `${azurite.url}/`, container: 'detach' },
    links: { secret: [Buffer.alloc(32, 5)], expiresAfter: 86_400_000, cdnUrl: options.cdnUrl },
    ...(options.now && { now: options.now }),
    credential: {
      getToken: (scopes) => {
        asked.push(scopes);
        return Promise.resolve({
          token: tokenFor('https://storage.azure.com'),
          expiresOnTimestamp: Date.now() + 3_600_000,
        });
      },
    },
  });

test('with an identity instead of a key: files, links, and addresses signed with a key that Azure lends', async () => {
  const store = storeOf();
  await store.prepare(signal);
  const bytes = Buffer.from('stored by an identity');
  const file = fileOf(bytes);
  await store.putFile(file, signal);
  const url = new URL(await store.signedUrl(file.sha256, { name: 'a.txt', type: 'text/plain' }));
  assert.ok(url.searchParams.get('skoid'));
  assert.equal(url.searchParams.get('spr'), 'https');
  assert.equal(await (await fetch(url)).text(), bytes.toString());
  assert.equal(asked.length > 0, true);
});

test('for a CDN, the times of the key that Azure lends are the same on all replicas', async () => {
  const halfDay = 12 * 3_600_000;
  const start = Date.now() - (Date.now() % halfDay);
  const keyTimes = async (now: number): Promise<(string | null)[]> => {
    const store = storeOf({ cdnUrl: 'https://cdn.example.com', now: () => now });
    const url = new URL(await store.signedUrl('a'.repeat(64), { name: 'a.txt', type: 'text/plain' }));
    assert.equal(url.hostname, 'cdn.example.com');
    return ['skt', 'ske'].map((name) => url.searchParams.get(name));
  };
  const first = await keyTimes(start);
  assert.deepEqual(await keyTimes(start + halfDay - 1), first);
  assert.notDeepEqual(await keyTimes(start + halfDay), first);
});
