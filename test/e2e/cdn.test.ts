import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAzurite } from '../harness/azurite.ts';
import { buildMessage } from '../harness/build-message.ts';
import { type DetachInstance, startDetach } from '../harness/detach-mta.ts';
import { FakeClock } from '../harness/fake-clock.ts';
import { type Nginx, startNginx } from '../harness/nginx.ts';
import { freePort } from '../harness/ports.ts';
import { run } from '../harness/process.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { type Sink, startSink } from '../harness/sink.ts';
import { waitFor } from '../harness/wait.ts';
import { linkIn } from './chain.ts';

const main = join(import.meta.dirname, '../../dist/main.js');
const shipped = readFileSync(join(import.meta.dirname, '../../deploy/nginx-cdn.conf'), 'utf8');

/** The configuration as it is shipped, with the names of this test in it. */
function edgeConfiguration(port: number, storage: number): string {
  const changes: readonly (readonly [string | RegExp, string])[] = [
    ['/var/cache/nginx/detach', 'DIRECTORY/cache'],
    ['/var/log/nginx/detach.log', 'DIRECTORY/access.log'],
    [/listen 443 ssl;/, `listen 127.0.0.1:${port};`],
    [/\n.*(?:listen \[::\]|ssl_certificate|proxy_ssl_).*/g, ''],
    ['/detach/files/', '/devstoreaccount1/detach/files/'],
    [/https:\/\/example\.blob[\w.]*/, `http://127.0.0.1:${storage}`],
    [/Host example\.blob[\w.]*/, `Host 127.0.0.1:${storage}`],
  ];
  let text = shipped;
  for (const [from, to] of changes) {
    const changed = text.replaceAll(typeof from === 'string' ? from : new RegExp(from, 'g'), to);
    assert.notEqual(changed, text, String(from));
    text = changed;
  }
  return text;
}

interface Stage {
  readonly clock: FakeClock;
  readonly edge: Nginx;
  readonly detach: DetachInstance;
  readonly sink: Sink;
}

async function startStage(scenario: Scenario): Promise<Stage> {
  const clock = new FakeClock(scenario.directory('clock'));
  const azurite = await scenario.use(startAzurite({ env: clock.env }));
  const port = await freePort();
  const edge = await scenario.use(startNginx({ port, http: edgeConfiguration(port, azurite.port), env: clock.env }));
  const sink = await scenario.use(startSink());
  const detach = await scenario.use(
    startDetach({
      nextHop: sink.port,
      storage: azurite.connectionString,
      config: { links: { delivery: 'redirect', cdnUrl: `http://127.0.0.1:${port}` } },
    }),
  );
  return { clock, edge, detach, sink };
}

async function mailed({ detach, sink }: Stage, name: string, content: Buffer): Promise<string> {
  const fileName = `filename*=UTF-8''${encodeURIComponent(name)}`;
  const headers = ['Content-Type: text/html', `Content-Disposition: attachment; ${fileName}`];
  const attachments = [{ name: '', content, headers }];
  const message = buildMessage({ from: 'alice@example.com', to: 'bob@example.org', attachments });
  const sent = await sendMail({ port: detach.port, from: 'alice@example.com', to: ['bob@example.org'], message });
  assert.equal(sent.final[0]?.code, 250, detach.describe());
  return linkIn(sink.messages.at(-1)!.data);
}

async function addressOf(link: string): Promise<URL> {
  const answer = await fetch(`${link}/file`, { redirect: 'manual' });
  assert.equal(answer.status, 302);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  return new URL(answer.headers.get('location')!);
}

const fetched = async (url: URL | string, headers: Record<string, string> = {}) => {
  const answer = await fetch(url, { headers });
  const body = Buffer.from(await answer.arrayBuffer());
  return { status: answer.status, cache: answer.headers.get('x-cache'), headers: answer.headers, body };
};

/** Two readers within one period of 5 minutes, which may just have ended between them. */
async function twoReaders(link: string): Promise<URL> {
  for (let tries = 0; tries < 3; tries++) {
    const [first, second] = [await addressOf(link), await addressOf(link)];
    if (first.href === second.href) return first;
  }
  throw new Error('the address changes with every request');
}

test('a CDN in front of storage: the second reader is served from the edge, with every header that is forced', async (t) => {
  const stage = await startStage(new Scenario(t));
  const content = randomBytes(3_000_000);
  const link = await mailed(stage, 'größe <1>.html', content);
  const address = await twoReaders(link);
  assert.ok(address.href.startsWith(`http://127.0.0.1:${stage.edge.port}/`));
  for (const name of ['st', 'se']) assert.equal(Date.parse(address.searchParams.get(name)!) % 300_000, 0);

  for (const cache of ['MISS', 'HIT', 'HIT']) {
    const answer = await fetched(address);
    assert.deepEqual([answer.status, answer.cache], [200, cache]);
    assert.ok(answer.body.equals(content));
    assert.match(answer.headers.get('content-disposition') ?? '', /^attachment; .*filename\*=UTF-8''gr%C3%B6%C3%9Fe/);
    assert.equal(answer.headers.get('content-type'), 'application/octet-stream');
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.match(answer.headers.get('content-security-policy') ?? '', /sandbox/);
    assert.ok(Number(/max-age=(\d+)/.exec(answer.headers.get('cache-control') ?? '')?.[1]) <= 300);
  }

  const ranges: readonly (readonly [string, number, number])[] = [
    ['bytes=100-199', 100, 200],
    ['bytes=-10', content.length - 10, content.length],
    ['bytes=2999999-', 2_999_999, content.length],
  ];
  for (const [range, from, to] of ranges) {
    const answer = await fetched(address, { range });
    assert.deepEqual([answer.status, answer.cache], [206, 'HIT'], range);
    assert.ok(answer.body.equals(content.subarray(from, to)), range);
    assert.equal(answer.headers.get('content-range'), `bytes ${from}-${to - 1}/${content.length}`);
  }
  assert.equal((await fetched(address, { range: 'bytes=3000000-' })).status, 416);

  // A part of a file that the edge does not have yet.
  const other = randomBytes(400_000);
  const first = await fetched(await addressOf(await mailed(stage, 'other.html', other)), {
    range: 'bytes=300000-300009',
  });
  assert.deepEqual([first.status, first.cache], [206, 'MISS']);
  assert.ok(first.body.equals(other.subarray(300_000, 300_010)));

  for (const [name, change] of Object.entries(forgeries)) {
    const forged = new URL(address);
    change(forged);
    const answer = await fetched(forged);
    assert.ok(answer.status === 403 || answer.status === 404, `${name}: ${answer.status}`);
    assert.equal(answer.body.includes(content.subarray(0, 100)), false, name);
  }
  assert.ok((await fetched(address)).body.equals(content));
  const posted = await fetch(address, { method: 'PUT', body: 'x' });
  assert.equal(posted.status, 403);
});

const set = (name: string, value: string) => (url: URL) => url.searchParams.set(name, value);

/** What an attacker with a cached address could try. */
const forgeries: Readonly<Record<string, (url: URL) => void>> = {
  'no query': (url) => (url.search = ''),
  'no signature': (url) => url.searchParams.delete('sig'),
  'another signature': (url) => {
    const signature = url.searchParams.get('sig')!;
    url.searchParams.set('sig', (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1));
  },
  'a later end': set('se', '2099-01-01T00:00:00Z'),
  'shown, not saved': set('rscd', 'inline'),
  'a type that runs': set('rsct', 'text/html'),
  'kept for a year': set('rscc', 'public, max-age=31536000'),
  'another blob': (url) => (url.pathname = url.pathname.replace(/[0-9a-f]{64}/, 'f'.repeat(64))),
  'a link instead of a file': (url) => (url.pathname = url.pathname.replace(/files\/.*/, `links/${'A'.repeat(22)}`)),
};

test('a revoked link is gone within 20 minutes everywhere, whatever the edge has kept', async (t) => {
  const stage = await startStage(new Scenario(t));
  const { clock, detach } = stage;
  const content = randomBytes(300_000);
  const link = await mailed(stage, 'plan.html', content);
  const address = await twoReaders(link);
  assert.equal((await fetched(address)).cache, 'MISS');

  const revoked = Date.now();
  await run(process.execPath, [main, 'links', 'revoke', link, '--config', detach.configFile]);
  const statuses = (): Promise<number[]> =>
    Promise.all([link, `${link}/file`].map(async (url) => (await fetch(url, { redirect: 'manual' })).status));
  await waitFor(async () => (await statuses()).every((status) => status === 410), { what: '410 on page and file' });

  // The latest moment at which storage still gives the file to the edge, and the latest at which the edge has it.
  const end = Date.parse(address.searchParams.get('se')!);
  const secondsTo = (time: number): number => Math.ceil((time - Date.now()) / 1000);
  clock.forward(secondsTo(end) - 20);
  assert.equal((await fetched(address)).cache, 'EXPIRED');
  clock.forward(secondsTo(end) + 120);
  assert.equal((await fetched(address)).cache, 'HIT');
  clock.forward(secondsTo(end) + 240);
  const gone = await fetched(address);
  assert.equal(gone.status, 403);
  assert.equal(gone.body.includes(content.subarray(0, 100)), false);
  // 3 s until no more addresses are given, 15 minutes until the last of them ends, 4 at the edge.
  assert.ok(end - revoked <= 15 * 60_000);
  assert.ok(3 + 15 * 60 + 240 < 20 * 60);
});

test('redirect: a file that is missing is 410 on page and file, not an answer in the words of storage', async (t) => {
  const stage = await startStage(new Scenario(t));
  const link = await mailed(stage, 'lost.html', randomBytes(300_000));
  const address = await addressOf(link);
  const { ContainerClient } = await import('@azure/storage-blob');
  const container = new ContainerClient(connectionString(stage.detach), 'detach');
  await container.deleteBlob(address.pathname.split('/').slice(-2).join('/'));
  await waitFor(async () => (await fetch(`${link}/file`, { redirect: 'manual' })).status === 410, { what: '410' });
  assert.equal((await fetch(link)).status, 410);
});

function connectionString({ config }: DetachInstance): string {
  const { storage } = config as { storage: { connectionString: string } };
  return storage.connectionString;
}
