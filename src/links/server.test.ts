import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { ContainerClient, ContainerSASPermissions } from '@azure/storage-blob';
import { type Azurite, startAzurite } from '../../test/harness/azurite.ts';
import type { Fields, ReaderMeter } from '../observe/interface.ts';
import type { Store } from '../storage/interface.ts';
import { createStore } from '../storage/store.ts';
import { storeMessage } from '../storage/testing/store-message.ts';
import { linkUrl } from './link-url.ts';
import { type LinkServer, type LinkServerOptions, startLinkServer } from './server.ts';
import { linkOptions } from './testing/link-options.ts';

const day = 86_400_000;
const { signal } = new AbortController();
const lines: { event: string; fields: Fields }[] = [];
const note = (event: string, fields: Fields = {}): void => void lines.push({ event, fields });
const log = { debug: note, info: note, warn: note, error: note };
const counted: Record<string, number> = {};
const count = (name: string, by = 1): void => void (counted[name] = (counted[name] ?? 0) + by);
const meter: ReaderMeter = {
  fileCorrupt: () => count('corrupt'),
  readerBusy: () => count('busy'),
  page: () => count('pages'),
  download: (delivery, bytes) => {
    count(delivery);
    count(`${delivery} bytes`, bytes);
  },
  linkRefused: (reason) => count(reason),
};
const readOnly = ContainerSASPermissions.parse('r');
let azurite: Azurite;
let container: ContainerClient;
let store: Store;
let server: LinkServer;
let base: string;
let now = Date.now();

before(async () => {
  azurite = await startAzurite();
  container = new ContainerClient(azurite.connectionString, 'detach');
  store = storeAt(azurite.connectionString);
  await store.prepare(signal);
  server = await serve();
  base = `http://${server.address}`;
});
after(async () => {
  await server.close();
  await azurite.stop();
});

const storeAt = (connectionString: string): Store =>
  createStore({
    storage: { connectionString, accountUrl: undefined, container: 'detach' },
    links: { secret: [Buffer.alloc(32, 1)], expiresAfter: 90 * day },
    now: () => now,
  });

function serve(links: Partial<LinkServerOptions['links']> = {}, its: Store = store): Promise<LinkServer> {
  return startLinkServer({
    links: { ...linkOptions, ...links },
    store: its,
    log,
    meter,
    now: () => now,
    limits: { rememberMs: 0 },
  });
}

interface Stored {
  readonly token: string;
  readonly sha256: string;
  readonly bytes: Buffer;
}

async function storeFile(bytes: Buffer, name = 'plan.pdf', type = 'application/pdf'): Promise<Stored> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { tokens } = await storeMessage(store, { files: [{ bytes, name, type }] });
  return { token: tokens[0]!, sha256, bytes };
}

const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  fetch(`${base}/${path}`, { headers, method, redirect: 'manual' });

const bodyOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

test('the address in the mail has at most 100 characters', () => {
  const longest = `https://${'h'.repeat(60)}/detached`;
  assert.equal(longest.length, 77);
  assert.equal(linkUrl(longest, 'A'.repeat(22)).length, 100);
  assert.equal(linkUrl('https://h.example/', 'tok'), 'https://h.example/tok');
});

test('the page says what the file is, changes nothing, and allows nothing to run', async () => {
  const { token } = await storeFile(randomBytes(2_400_000), 'Q3 <b>report</b> "final" & more.pdf');
  for (const path of [token, `${token}/`, `post/${token}`, `${token}?utm_source=mail`]) {
    const response = await get(path);
    const html = await response.text();
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal(response.headers.get('referrer-policy'), 'no-referrer');
    assert.match(response.headers.get('x-robots-tag') ?? '', /noindex/);
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.match(
      policy,
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    const style = /<style>(.*)<\/style>/s.exec(html)?.[1] ?? '';
    assert.ok(policy.includes(createHash('sha256').update(style).digest('base64')));
    assert.doesNotMatch(html, /<script|<b>|https?:/);
    assert.match(html, /<bdi>Q3 &lt;b&gt;report&lt;\/b&gt; &quot;final&quot; &amp; more\.pdf<\/bdi>/);
    assert.match(html, /2\.4 MB/);
    assert.match(html, new RegExp(`href="/post/${token}/file"`));
  }
  const head = await get(token, {}, 'HEAD');
  assert.equal(head.status, 200);
  assert.ok(Number(head.headers.get('content-length')) > 1000);
});

test('the page speaks the language that is asked for, or the configured one', async () => {
  const { token } = await storeFile(Buffer.from('mots'));
  const french = await serve({ language: 'fr' });
  const cases: [string | undefined, string, string][] = [
    ['fr-CA,fr;q=0.9,en;q=0.5', 'fr', 'fr'],
    ['ja, fr;q=0.4, en;q=0.6', 'en', 'en'],
    ['de-AT', 'de', 'de'],
    ['pt-BR, es;q=0.9', 'pt', 'pt'],
    ['ja', 'en', 'fr'],
    ['*', 'en', 'fr'],
    ['fr;q=0, *;q=0', 'en', 'fr'],
    [';;;,', 'en', 'fr'],
  ];
  for (const [asked, ours, theirs] of cases) {
    const headers = { 'accept-language': asked ?? '' };
    assert.match(await (await get(token, headers)).text(), new RegExp(`<html lang="${ours}" dir="ltr">`));
    const page = await (await fetch(`http://${french.address}/${token}`, { headers })).text();
    assert.match(page, new RegExp(`<html lang="${theirs}" dir="ltr">`));
  }
  await french.close();
});

test('unknown and malformed look the same; expired and revoked say so; nothing is downloaded', async () => {
  const unknown = await (await get('A'.repeat(22))).text();
  for (const path of [
    '',
    'favicon.ico',
    'A'.repeat(21),
    'A'.repeat(23),
    `${'A'.repeat(22)}/file`,
    `${'A'.repeat(22)}/file/`,
    '..%2f',
    'post',
  ]) {
    const response = await get(path);
    assert.equal(response.status, 404, path);
    assert.equal(await response.text(), unknown, path);
  }
  const { token } = await storeFile(Buffer.from('short lived'));
  const blob = container.getBlockBlobClient(`links/${token}`);
  const link = await store.getLink(token, signal);
  now += 91 * day;
  for (const path of [token, `${token}/file`]) {
    const response = await get(path);
    assert.equal(response.status, 410);
    assert.match(await response.text(), /no longer kept/);
  }
  now -= 91 * day;
  const json = JSON.stringify({ ...link, revoked: new Date(now).toISOString() });
  await blob.upload(json, json.length);
  for (const path of [token, `${token}/file`]) {
    const response = await get(path);
    assert.equal(response.status, 410);
    assert.match(await response.text(), /withdrawn/);
  }
});

test('what is not GET or HEAD is refused', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const response = await get('A'.repeat(22), {}, method);
    assert.equal(response.status, 405);
    assert.equal(response.headers.get('allow'), 'GET, HEAD');
  }
});

test('the file arrives whole, with its name, to be saved and never shown', async () => {
  const { token, bytes, sha256 } = await storeFile(randomBytes(3_000_000), 'Übersicht 日本.pdf');
  const response = await get(`${token}/file`);
  assert.equal(response.status, 200);
  assert.ok((await bodyOf(response)).equals(bytes));
  const { headers } = response;
  assert.equal(headers.get('etag'), `"${sha256}"`);
  assert.equal(headers.get('content-type'), 'application/pdf');
  assert.equal(headers.get('content-length'), '3000000');
  assert.equal(headers.get('accept-ranges'), 'bytes');
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
  assert.match(headers.get('cache-control') ?? '', /^private/);
  assert.match(headers.get('content-security-policy') ?? '', /sandbox/);
  assert.equal(
    headers.get('content-disposition'),
    `attachment; filename="_bersicht __.pdf"; filename*=UTF-8''%C3%9Cbersicht%20%E6%97%A5%E6%9C%AC.pdf`,
  );
  const head = await get(`${token}/file`, {}, 'HEAD');
  assert.equal(head.status, 200);
  assert.equal(head.headers.get('content-length'), '3000000');
  assert.equal(head.headers.get('etag'), `"${sha256}"`);
  const empty = await storeFile(Buffer.alloc(0), 'empty.txt', 'text/plain');
  assert.equal((await bodyOf(await get(`${empty.token}/file`))).length, 0);
});

test('types that a browser could run are served as bytes', async () => {
  const risky = [
    'text/html',
    'image/svg+xml',
    'application/xhtml+xml',
    'text/xml',
    'application/xml',
    'text/javascript',
  ];
  risky.push(
    'application/javascript',
    'message/rfc822',
    'multipart/related',
    'application/x-shockwave-flash',
    'text/css',
  );
  risky.push('application/vnd.mozilla.xul+xml', 'image/png\r\nX-Evil: 1', 'text/html; charset=utf-8', 'nonsense', '');
  for (const type of risky) {
    const { token } = await storeFile(Buffer.from(`<script>${type}</script>`), 'file', type);
    assert.equal((await get(`${token}/file`)).headers.get('content-type'), 'application/octet-stream', type);
  }
  const docx = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
  for (const type of ['image/png', 'video/mp4', 'text/plain', 'application/zip', docx]) {
    const { token } = await storeFile(Buffer.from(type), 'file', type);
    assert.equal((await get(`${token}/file`)).headers.get('content-type'), type);
  }
});

test('ranges (RFC 9110 section 14)', async () => {
  const { token, bytes, sha256 } = await storeFile(randomBytes(1000));
  const etag = `"${sha256}"`;
  const cases: [Record<string, string>, number, Buffer][] = [
    [{ range: 'bytes=0-0' }, 206, bytes.subarray(0, 1)],
    [{ range: 'bytes=0-' }, 206, bytes],
    [{ range: 'bytes=10-19' }, 206, bytes.subarray(10, 20)],
    [{ range: 'bytes=990-2000' }, 206, bytes.subarray(990)],
    [{ range: 'bytes=-5' }, 206, bytes.subarray(-5)],
    [{ range: 'bytes=-5000' }, 206, bytes],
    [{ range: 'bytes=1000-' }, 416, Buffer.alloc(0)],
    [{ range: 'bytes=-0' }, 416, Buffer.alloc(0)],
    [{ range: 'bytes=99999999999999999999-' }, 416, Buffer.alloc(0)],
    [{ range: 'bytes=5-4' }, 200, bytes],
    [{ range: 'bytes=-' }, 200, bytes],
    [{ range: 'bytes=0-1,5-6' }, 200, bytes],
    [{ range: 'lines=1-2' }, 200, bytes],
    [{ range: 'bytes=1-2', 'if-range': etag }, 206, bytes.subarray(1, 3)],
    [{ range: 'bytes=1-2', 'if-range': '"other"' }, 200, bytes],
    [{ range: 'bytes=1-2', 'if-range': 'Sun, 22 Nov 2026 00:00:00 GMT' }, 200, bytes],
    [{ 'if-none-match': etag }, 304, Buffer.alloc(0)],
    [{ 'if-none-match': `"x", W/${etag}` }, 304, Buffer.alloc(0)],
    [{ 'if-none-match': '*' }, 304, Buffer.alloc(0)],
    [{ 'if-none-match': '"x"', range: 'bytes=0-1' }, 206, bytes.subarray(0, 2)],
  ];
  for (const [headers, status, body] of cases) {
    const response = await get(`${token}/file`, headers);
    assert.equal(response.status, status, JSON.stringify(headers));
    assert.ok((await bodyOf(response)).equals(body), JSON.stringify(headers));
    if (status === 206) {
      const at = body.length === 1000 ? 0 : bytes.indexOf(body);
      assert.equal(response.headers.get('content-range'), `bytes ${at}-${at + body.length - 1}/1000`);
    }
    if (status === 416) assert.equal(response.headers.get('content-range'), 'bytes */1000');
    assert.equal(response.headers.get('etag'), etag);
  }
});

test('redirect: the browser fetches from storage, and from us when nothing can be signed', async () => {
  const { token, bytes } = await storeFile(randomBytes(5000), 'direct.bin', 'application/octet-stream');
  const redirecting = await serve({ delivery: 'redirect' });
  const response = await fetch(`http://${redirecting.address}/${token}/file`, { redirect: 'manual' });
  assert.equal(response.status, 302);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const location = response.headers.get('location') ?? '';
  assert.ok(location.startsWith(azurite.url));
  assert.ok((await bodyOf(await fetch(location))).equals(bytes));
  await redirecting.close();
  const sas = new URL(await container.generateSasUrl({ permissions: readOnly, expiresOn: new Date(now + day) })).search;
  const keyless = storeAt(`BlobEndpoint=${azurite.url};SharedAccessSignature=${sas.slice(1)}`);
  const fallback = await serve({ delivery: 'redirect' }, keyless);
  const streamed = await fetch(`http://${fallback.address}/${token}/file`, { redirect: 'manual' });
  assert.equal(streamed.status, 200);
  assert.ok((await bodyOf(streamed)).equals(bytes));
  await fallback.close();
});

test('a file that is gone, or has another size than its link says, is never a short file', async () => {
  const lost = await storeFile(randomBytes(2000));
  await container.deleteBlob(`files/${lost.sha256}`);
  const short = await storeFile(randomBytes(3000));
  const blob = container.getBlockBlobClient(`files/${short.sha256}`);
  await blob.upload(short.bytes.subarray(0, 1000), 1000);
  for (const { token } of [lost, short])
    for (const [method, headers] of [
      ['GET', {}],
      ['HEAD', {}],
      ['GET', { range: 'bytes=500-999' }],
    ] as const)
      for (const path of [token, `${token}/file`]) assert.equal((await get(path, headers, method)).status, 410, method);
  for (const { sha256 } of [lost, short])
    assert.ok(lines.some(({ event, fields }) => event === 'file-missing' && fields['sha256'] === sha256));
});

test('storage that breaks in the middle cuts the connection', async () => {
  const { token } = await storeFile(randomBytes(40_000_000));
  const request = httpRequest(`${base}/${token}/file`).end();
  const [response] = (await once(request, 'response')) as [Readable];
  await once(response, 'readable');
  await azurite.kill();
  const failed = once(response, 'error') as Promise<[NodeJS.ErrnoException]>;
  response.resume();
  assert.equal((await failed)[0].code, 'ECONNRESET');
  const down = await get(token);
  assert.equal(down.status, 503);
  assert.equal(down.headers.get('retry-after'), '30');
  await azurite.up();
});

test('a client that goes away ends the download from storage', async () => {
  const { token } = await storeFile(randomBytes(30_000_000));
  lines.length = 0;
  const request = httpRequest(`${base}/${token}/file`).end();
  const [response] = (await once(request, 'response')) as [Readable];
  await once(response, 'readable');
  request.destroy();
  const broken = (): boolean =>
    lines.some((line) => line.event === 'download-broken' && line.fields['clientGone'] === true);
  for (const until = Date.now() + 10_000; !broken() && Date.now() < until;) await new Promise(setImmediate);
  assert.equal(broken(), true);
});

test('the log names the client behind trusted proxies only, and never a token', async () => {
  const { token } = await storeFile(Buffer.from('logged'));
  lines.length = 0;
  await get(`${token}/file`, { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' }).then(bodyOf);
  const untrusting = await serve({ trustedProxies: [] });
  await fetch(`http://${untrusting.address}/${token}`, { headers: { 'x-forwarded-for': '198.51.100.7' } });
  await untrusting.close();
  await get(token, { 'x-forwarded-for': 'junk" or so' });
  const clients = lines.filter((line) => line.event === 'link-request').map((line) => line.fields['client']);
  assert.deepEqual(clients, ['198.51.100.7', '127.0.0.1', '127.0.0.1']);
  assert.ok(!JSON.stringify(lines).includes(token));
});

test('a request that is no HTTP gets an answer, and others go on', async () => {
  const [host, port] = server.address.split(':');
  const socket = connect(Number(port), host);
  socket.end('HELO there\r\n\r\n');
  assert.match(String(await once(socket, 'data')), /^HTTP\/1\.1 400/);
  assert.equal((await get('x')).status, 404);
});

test('close lets a running download end, and waits until it is counted and logged', async () => {
  const { token, bytes } = await storeFile(randomBytes(5_000_000));
  const own = await serve();
  const before = counted['stream'] ?? 0;
  const told = lines.length;
  const response = await fetch(`http://${own.address}/${token}/file`);
  const closing = own.close();
  assert.ok((await bodyOf(response)).equals(bytes));
  await closing;
  assert.equal(counted['stream'], before + 1);
  assert.ok(lines.slice(told).some(({ event }) => event === 'download'));
  await assert.rejects(fetch(`http://${own.address}/${token}`));
});

test('pages, downloads, bytes and refusals are counted; who asks for the header alone downloads nothing', async () => {
  const { token, bytes } = await storeFile(randomBytes(5000), 'counted.bin');
  const lost = await storeFile(randomBytes(5001), 'lost.bin');
  await container.deleteBlob(`files/${lost.sha256}`);
  for (const name of Object.keys(counted)) counted[name] = 0;
  const before = { ...counted };
  await (await get(token)).text();
  await get(token, {}, 'HEAD');
  await bodyOf(await get(`${token}/file`));
  await bodyOf(await get(`${token}/file`, { range: 'bytes=0-99' }));
  await get(`${token}/file`, {}, 'HEAD');
  await get(`${token}/file`, { 'if-none-match': '*' });
  await get('A'.repeat(22));
  await get(lost.token);
  await get(`${lost.token}/file`);
  const expected = { pages: 2, stream: 2, 'stream bytes': bytes.length + 100, unknown: 1, missing: 2 };
  assert.deepEqual(counted, { ...before, ...expected });
});
