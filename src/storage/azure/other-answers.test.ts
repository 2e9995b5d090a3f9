/** Answers that are not storage's own: of portals, proxies and caches on the way to it. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { after, afterEach, before, test } from 'node:test';
import { type Azurite, startAzurite } from '../../../test/harness/azurite.ts';
import { type HttpProxy, startHttpProxy, type Trouble } from '../../../test/harness/http-proxy.ts';
import { Failure } from '../../smtp/failures.ts';
import type { Store } from '../interface.ts';
import { createStore } from '../store.ts';
import { storeMessage } from '../testing/store-message.ts';

const { signal } = new AbortController();
const bytes = randomBytes(200_000);
const sha256 = createHash('sha256').update(bytes).digest('hex');
const maxSockets = 4;
const unknownToken = 'A'.repeat(22);
let azurite: Azurite;
let proxy: HttpProxy;
let store: Store;
let token: string;
let id: string;

before(async () => {
  azurite = await startAzurite({ inMemory: true });
  proxy = await startHttpProxy(azurite.port);
  store = createStore({
    storage: {
      connectionString: azurite.connectionString.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${proxy.port}`),
      accountUrl: undefined,
      container: 'detach',
    },
    links: { secret: [Buffer.alloc(32, 7)], expiresAfter: 86_400_000 },
    maxSockets,
  });
  await store.prepare(signal);
  const stored = await storeMessage(store, { files: [{ bytes, name: 'n' }], manifest: randomBytes(1000) });
  [token, id] = [stored.tokens[0]!, stored.manifestId];
});
after(async () => {
  await proxy.stop();
  await azurite.stop();
});
afterEach(() => {
  proxy.trouble = () => undefined;
});

const questions: Record<string, () => Promise<unknown>> = {
  'a link': () => store.getLink(token, signal),
  'a file': () => store.statFile(sha256, signal),
  'the bytes of a file': () => store.openFile(sha256, signal),
  'a manifest': () => store.getMessage(id, signal),
};

const fails = (error: unknown): boolean => error instanceof Failure && error.kind === 'storageFailed';

const html = { 'content-type': 'text/html' };
const answers: Record<string, Trouble> = {
  'a 404 without a word': { status: 404 },
  'a 404 with a page': { status: 404, headers: html, body: '<html><body>Not here</body></html>' },
  'a page': { status: 200, headers: { ...html, 'content-length': '6', etag: '"x"' }, body: '<html>' },
};

for (const [what, trouble] of Object.entries(answers))
  test(`${what}, instead of an answer of storage, does not say that something is gone`, async () => {
    proxy.trouble = () => trouble;
    // The bytes of a page have not the hash of the file: who reads them finds out.
    const asked = Object.entries(questions).filter(([name]) => what !== 'a page' || name === 'a link');
    for (const [name, ask] of asked) await assert.rejects(ask(), fails, name);
  });

test('what storage itself says is missing is missing', async () => {
  assert.equal(await store.getLink(unknownToken, signal), undefined);
  assert.equal(await store.statFile('0'.repeat(64), signal), undefined);
  assert.equal(await store.openFile('0'.repeat(64), signal), undefined);
});

test('a redirect is a failure, and is not followed', async () => {
  proxy.requests.length = 0;
  for (const status of [301, 302, 307, 308]) {
    proxy.trouble = ({ url }) => (url === '/elsewhere' ? undefined : { status, headers: { location: '/elsewhere' } });
    for (const [name, ask] of Object.entries(questions)) await assert.rejects(ask(), fails, `${status} ${name}`);
  }
  assert.ok(proxy.requests.every(({ path }) => path !== '/elsewhere'));
});

test('bytes of another range are not taken for those that were asked for', async () => {
  proxy.trouble = () => ({ answerHeaders: { 'content-range': 'bytes 5-104/200000' } });
  await assert.rejects(store.openFile(sha256, signal, { offset: 1000, count: 100 }), fails);
});

for (const field of ['etag', 'content-length'])
  test(`answers without ${field} use up no connections`, { timeout: 60_000 }, async () => {
    proxy.trouble = ({ method }) => (method === 'GET' ? { answerHeaders: { [field]: undefined } } : undefined);
    for (let i = 0; i < 3 * maxSockets; i += 1) await assert.rejects(store.openFile(sha256, signal), fails);
    proxy.trouble = () => undefined;
    const stream = await store.openFile(sha256, signal);
    assert.ok(stream && (await buffer(stream)).equals(bytes));
  });
