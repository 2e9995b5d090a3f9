import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { waitFor } from '../../../test/harness/wait.ts';
import type { StoredMessage } from '../../storage/testing/store-message.ts';
import { LinkLab } from '../testing/link-lab.ts';

const lab = new LinkLab();
let folder: string;
before(async () => {
  await lab.start();
  folder = mkdtempSync(join(tmpdir(), 'zip-'));
});
after(async () => {
  await lab.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  lab.lines.length = 0;
});

let count = 0;
const put = (files: readonly (readonly [name: string, bytes: Buffer])[]): Promise<StoredMessage> =>
  lab.put({
    messageIdentity: `<${++count}@example.com>`,
    files: files.map(([name, bytes]) => ({ name, bytes, type: 'image/jpeg' })),
  });
const get = (page: string | undefined, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  fetch(lab.url(`${page}/all.zip`), { headers, method });
const bodyOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

/** Names and sizes, as unzip lists them after testing the archive. */
function listed(bytes: Buffer): string[] {
  const path = join(folder, 'all.zip');
  writeFileSync(path, bytes);
  const tested = spawnSync('unzip', ['-t', path]);
  assert.equal(tested.status, 0, tested.stdout.toString());
  return spawnSync('unzip', ['-Z1', path]).stdout.toString().trim().split('\n');
}

/** Reads the header of an answer and none of its body. */
async function open(page: string | undefined, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const request = httpRequest(lab.url(`${page}/all.zip`), { headers }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  return response;
}

test('all files of a message, with the length said before, to be saved', async () => {
  const { page } = await put([
    ['photo.jpg', randomBytes(300_000)],
    ['photo.jpg', randomBytes(200_000)],
    ['Übersicht.jpg', randomBytes(100_000)],
    ['empty.jpg', Buffer.alloc(0)],
  ]);
  const response = await get(page, { 'accept-language': 'de' });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/zip');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.match(response.headers.get('content-disposition') ?? '', /^attachment; filename="?Anlagen-2026-11-28\.zip"?$/);
  const bytes = await bodyOf(response);
  assert.equal(String(bytes.length), response.headers.get('content-length'));
  assert.deepEqual(listed(bytes), ['photo.jpg', 'photo-2.jpg', 'Übersicht.jpg', 'empty.jpg']);
  assert.ok(lab.lines.some(({ event, fields }) => event === 'download' && fields['files'] === 3));

  const head = await get(page, {}, 'HEAD');
  assert.equal(head.status, 200);
  assert.equal(head.headers.get('content-length'), String(bytes.length));
  const etag = head.headers.get('etag') ?? '';
  assert.equal((await get(page, { 'if-none-match': etag })).status, 304);
  for (const [from, to] of [
    [0, 0],
    [10, 99],
    [299_000, 501_000],
    [bytes.length - 5, bytes.length - 1],
  ] as const) {
    const part = await get(page, { range: `bytes=${from}-${to}`, 'if-range': etag });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes ${from}-${to}/${bytes.length}`);
    assert.ok((await bodyOf(part)).equals(bytes.subarray(from, to + 1)), `${from}-${to}`);
  }
  assert.equal((await get(page, { range: 'bytes=0-9', 'if-range': '"other"' })).status, 200);
  assert.equal((await get(page, { range: `bytes=${bytes.length}-` })).status, 416);
});

test('revoked, expired and missing files are left out', async () => {
  const message = await put([1, 2, 3].map((n) => [`${n}.jpg`, randomBytes(1000)]));
  const whole = await get(message.page);
  assert.deepEqual(listed(await bodyOf(whole)), ['1.jpg', '2.jpg', '3.jpg']);
  await lab.change(message.tokens[0]!, 'revoke');
  const fewer = await get(message.page, { range: 'bytes=5-', 'if-range': whole.headers.get('etag')! });
  assert.equal(fewer.status, 200, 'it is another archive now');
  assert.deepEqual(listed(await bodyOf(fewer)), ['2.jpg', '3.jpg']);
  lab.unlink(message.links[1]!.sha256);
  assert.deepEqual(listed(await bodyOf(await get(message.page))), ['3.jpg']);
  const missing = lab.lines.filter(({ event }) => event === 'file-missing').map(({ fields }) => fields['sha256']);
  assert.deepEqual(missing, [message.links[1]!.sha256], 'the operator hears of it');
  lab.now += 91 * 86_400_000;
  assert.equal((await get(message.page)).status, 410);
  lab.now -= 91 * 86_400_000;
});

test('a file whose bytes changed in storage never ends an archive that looks complete', async () => {
  const bytes = randomBytes(150_000);
  const message = await put([
    ['good.jpg', randomBytes(1000)],
    ['bad.jpg', bytes],
    ['last.jpg', randomBytes(1000)],
  ]);
  const other = Buffer.from(bytes);
  other[100] = ~other[100]! & 0xff;
  lab.corrupt(message.links[1]!.sha256, other);
  const { corrupt } = lab.counted;
  await assert.rejects(get(message.page).then(bodyOf));
  assert.equal(lab.counted.corrupt, corrupt + 1);
  assert.ok(lab.lines.some(({ event }) => event === 'file-corrupt'));
});

test('a file that is revoked while the archive is read does not leave with it', async () => {
  const message = await put([1, 2].map((n) => [`${n}.jpg`, randomBytes(16_000_000)]));
  const reader = await open(message.page);
  await once(reader, 'readable');
  await lab.change(message.tokens[1]!, 'revoke');
  let seen = 0;
  await assert.rejects(async () => {
    for await (const chunk of reader as AsyncIterable<Buffer>) seen += chunk.length;
  });
  assert.ok(seen < 16_001_000, `${seen} bytes`);
  assert.deepEqual(listed(await bodyOf(await get(message.page))), ['1.jpg']);
});

test('eight at once, and the ninth is told to come again; who leaves makes room', async () => {
  const message = await put([1, 2].map((n) => [`${n}.jpg`, randomBytes(12_000_000)]));
  const readers = await Promise.all(Array.from({ length: 8 }, () => open(message.page)));
  for (const { statusCode } of readers) assert.equal(statusCode, 200);
  const ninth = await get(message.page);
  assert.equal(ninth.status, 503);
  assert.equal(ninth.headers.get('retry-after'), '5');
  assert.equal((await fetch(lab.url(message.page))).status, 200, 'pages are served beside them');
  for (const reader of readers) reader.destroy();
  await waitFor(
    async () => {
      const response = await get(message.page, {}, 'HEAD');
      return response.status === 200;
    },
    { what: 'a free place' },
  );
  const broken = (): number =>
    lab.lines.filter(({ event, fields }) => event === 'download-broken' && fields['clientGone'] === true).length;
  await waitFor(() => Promise.resolve(broken() > 0), { what: 'the broken downloads' });
});

test('one client takes half of the places, others find room', async () => {
  const message = await put([1, 2].map((n) => [`${n}.jpg`, randomBytes(12_000_000)]));
  const of = (client: string): Promise<IncomingMessage> => open(message.page, { 'x-forwarded-for': client });
  const greedy = await Promise.all(Array.from({ length: 4 }, () => of('192.0.2.1')));
  assert.equal((await of('192.0.2.1')).statusCode, 503);
  const other = await of('198.51.100.7');
  assert.equal(other.statusCode, 200);
  for (const reader of [...greedy, other]) reader.destroy();
});

test('a slow reader holds back storage', async () => {
  const message = await put([1, 2, 3].map((n) => [`${n}.jpg`, randomBytes(16_000_000)]));
  const reader = await open(message.page);
  lab.asked.length = 0;
  assert.equal(reader.statusCode, 200);
  await once(reader, 'readable');
  let seen = (reader.read() as Buffer).length;
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(lab.asked.filter((key) => key === 'openFile').length <= 1, 'the second file waits for the first');
  for await (const chunk of reader as AsyncIterable<Buffer>) seen += chunk.length;
  assert.equal(String(seen), reader.headers['content-length']);
});
