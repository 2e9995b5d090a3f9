/** What strangers and readers can do to the server, while others are still served. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { after, before, beforeEach, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { type Azurite, startAzurite } from '../../test/harness/azurite.ts';
import { type HttpProxy, startHttpProxy } from '../../test/harness/http-proxy.ts';
import { startProxy, type TcpProxy } from '../../test/harness/tcp-proxy.ts';
import { waitFor } from '../../test/harness/wait.ts';
import type { Fields } from '../observe/interface.ts';
import type { Store } from '../storage/interface.ts';
import { createStore } from '../storage/store.ts';
import { storeMessage } from '../storage/testing/store-message.ts';
import { clientShare } from './client-share.ts';
import type { Limits } from './limits.ts';
import { type LinkServer, startLinkServer } from './server.ts';
import { linkOptions } from './testing/link-options.ts';
import { silentReaders } from './testing/silent-readers.ts';

const { signal } = new AbortController();
const lines: { level: string; event: string; fields: Fields }[] = [];
const note =
  (level: string) =>
  (event: string, fields: Fields = {}): void =>
    void lines.push({ level, event, fields });
const counted = { corrupt: 0, busy: 0 };
let azurite: Azurite;
let network: TcpProxy;
let spoiler: HttpProxy;
let store: Store;

before(async () => {
  azurite = await startAzurite({ inMemory: true });
  network = await startProxy({ target: azurite.port });
  spoiler = await startHttpProxy(azurite.port);
  store = storeAt(azurite.port);
  await store.prepare(signal);
});
after(async () => {
  await network.stop();
  await spoiler.stop();
  await azurite.stop();
});
beforeEach(() => {
  lines.length = 0;
  counted.corrupt = 0;
  counted.busy = 0;
});

const storeAt = (port: number, maxSockets = 8): Store =>
  createStore({
    storage: {
      connectionString: azurite.connectionString.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`),
      accountUrl: undefined,
      container: 'detach',
    },
    links: { secret: [Buffer.alloc(32, 1)], expiresAfter: 90 * 86_400_000 },
    maxSockets,
  });

interface Serving {
  readonly server: LinkServer;
  readonly port: number;
  readonly url: string;
}

async function serve(
  t: { after(stop: () => Promise<void>): void },
  its: Store,
  { limits = {}, trustedProxies = [] }: { limits?: Partial<Limits>; trustedProxies?: string[] } = {},
): Promise<Serving> {
  const server = await startLinkServer({
    links: { ...linkOptions, baseUrl: 'https://files.example.com', trustedProxies },
    store: its,
    log: { debug: () => undefined, info: note('info'), warn: note('warn'), error: note('error') },
    meter: { ...silentReaders, fileCorrupt: () => (counted.corrupt += 1), readerBusy: () => (counted.busy += 1) },
    limits,
  });
  t.after(() => server.close());
  return { server, port: Number(server.address.split(':')[1]), url: `http://${server.address}` };
}

async function put(bytes: Buffer): Promise<{ readonly sha256: string; readonly token: string }> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { tokens } = await storeMessage(store, { files: [{ bytes, name: 'plan.pdf' }] });
  return { sha256, token: tokens[0]! };
}

/** A string in the form of a token that does not exist. */
const inventedToken = (): string => randomBytes(16).toString('base64url');

const dial = async (port: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
};

const answersOf = async (socket: Socket): Promise<number[]> => {
  let text = '';
  try {
    for await (const chunk of socket.setEncoding('latin1') as AsyncIterable<string>) text += chunk;
  } catch {
    // The server resets the connection when it stops reading.
  }
  return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => Number(match[1]));
};

describe('floods', () => {
  test('thousands of requests sent ahead cost a few questions, and others are served beside them', async (t) => {
    const { token } = await put(randomBytes(1000));
    const { port, url } = await serve(t, storeAt(network.port));
    const before = network.connections;
    const attackers = await Promise.all(Array.from({ length: 40 }, () => dial(port)));
    for (const socket of attackers) {
      const requests = Array.from({ length: 2000 }, () => `GET /${inventedToken()} HTTP/1.1\r\nHost: x\r\n\r\n`);
      socket.write(requests.join(''));
    }
    const innocent = await fetch(`${url}/${token}`);
    assert.equal(innocent.status, 200);
    for (const socket of attackers) if (!socket.closed) await once(socket, 'close');
    assert.ok(network.connections - before <= 8, `${network.connections - before} connections to storage`);
    const refused = lines.filter(({ event }) => event === 'reader-refused');
    assert.ok(refused.length >= 1 && lines.length <= 10, JSON.stringify(lines));
  });

  test('a client that sends a few requests ahead gets all answers in order, one question at a time', async (t) => {
    const { token } = await put(randomBytes(10));
    const { port } = await serve(t, store);
    const socket = await dial(port);
    const paths = [token, inventedToken(), `${token}/file`, 'no-token', token];
    const requests = paths.map((path) => `GET /${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const last = `HEAD /${token} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    socket.write(requests.join('') + last);
    assert.deepEqual(await answersOf(socket), [200, 404, 200, 404, 200, 200]);
  });

  test('what cannot be a token is never asked for; what is unknown is asked for once in a while', async (t) => {
    const { url } = await serve(t, storeAt(spoiler.port));
    spoiler.requests.length = 0;
    for (const path of [`${'A'.repeat(21)}B`, `${'A'.repeat(21)}-`, 'A'.repeat(21), 'x/../../y', '%41'.repeat(22)]) {
      assert.equal((await fetch(`${url}/${path}`)).status, 404);
    }
    assert.equal(spoiler.requests.length, 0);
    const unknown = inventedToken();
    const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(`${url}/${unknown}/file`)));
    assert.ok(answers.every(({ status }) => status === 404));
    assert.equal(spoiler.requests.length, 1);
  });

  test('a link that is made is seen within 3 s, though it was asked for before', async (t) => {
    const { url } = await serve(t, store);
    const bytes = randomBytes(100);
    const { token } = await put(bytes);
    await store.getLink(token, signal);
    const started = performance.now();
    const early = await serve(t, {
      ...storeView(store),
      getLink: (asked, at) =>
        performance.now() - started < 500 ? Promise.resolve(undefined) : store.getLink(asked, at),
    });
    assert.equal((await fetch(`${early.url}/${token}`)).status, 404);
    await waitFor(async () => (await fetch(`${early.url}/${token}`)).status === 200, { what: 'the new link' });
    assert.ok(performance.now() - started < 3500, `${performance.now() - started} ms`);
    assert.equal((await fetch(`${url}/${token}`)).status, 200);
  });

  test('storage that is slow is asked by few at once; who would wait too long is told to come again', async (t) => {
    const { token } = await put(randomBytes(10));
    let asked = 0;
    let most = 0;
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = storeView(store);
    slow.getLink = async (wanted, at) => {
      most = Math.max(most, ++asked);
      if (wanted !== token) await held;
      asked--;
      return store.getLink(wanted, at);
    };
    const limits = { lookups: 4, lookupsWaiting: 6, waitMs: 300 };
    const { url } = await serve(t, slow, { limits, trustedProxies: ['127.0.0.1/32'] });
    const from = (client: string, path: string): Promise<Response> =>
      fetch(`${url}/${path}`, { headers: { 'x-forwarded-for': client } });
    const flood = Promise.all(Array.from({ length: 30 }, () => from('203.0.113.7', inventedToken())));
    await waitFor(() => asked > 0, { what: 'the flood' });
    // Other clients have separate places.
    assert.equal((await from('198.51.100.1', token)).status, 200);
    await waitFor(() => counted.busy === 28, { what: 'those who wait to be told' });
    release();
    const answers = await flood;
    const busy = answers.filter(({ status }) => status === 503);
    assert.equal(answers.filter(({ status }) => status === 404).length, 2);
    assert.ok(busy.length === 28 && busy.every(({ headers }) => headers.get('retry-after') === '5'));
    assert.ok(most <= 4, `${most} at once`);
    assert.equal(lines.filter(({ event }) => event === 'reader-busy').length, 1);
  });

  test('a failing storage is one line in the log, however many ask', async (t) => {
    const broken = storeView(store);
    broken.getLink = () => Promise.reject(new Error('storage is down'));
    const { url } = await serve(t, broken);
    for (let i = 0; i < 50; i++) assert.equal((await fetch(`${url}/${inventedToken()}`)).status, 503);
    assert.equal(lines.filter(({ event }) => event === 'link-failed').length, 1);
  });

  test('huge headers, a million ETags and a thousand ranges are answered at once', async (t) => {
    const { token } = await put(randomBytes(1000));
    const { url, port } = await serve(t, store);
    const socket = await dial(port);
    socket.write(`GET /${token}/file HTTP/1.1\r\nHost: x\r\nIf-None-Match: ${'"a",'.repeat(1_000_000)}`);
    const codes = await answersOf(socket);
    // The reset may overtake the answer.
    assert.ok(
      [[], [431]].some((answers) => isDeepStrictEqual(answers, codes)),
      String(codes),
    );
    const many = Array.from({ length: 1500 }, (_, i) => `${i}-${i}`).join(',');
    const ranges = await fetch(`${url}/${token}/file`, { headers: { range: `bytes=${many}` } });
    assert.equal(ranges.status, 200);
    assert.equal((await ranges.arrayBuffer()).byteLength, 1000);
    const tags = await fetch(`${url}/${token}/file`, { headers: { 'if-none-match': '"a",'.repeat(3000) } });
    assert.equal(tags.status, 200);
    await tags.arrayBuffer();
  });

  test('a request with a body ends its connection', async (t) => {
    const { port } = await serve(t, store);
    const socket = await dial(port);
    socket.write(`GET /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n`);
    assert.deepEqual(await answersOf(socket), [404]);
  });
});

describe('connections', () => {
  test('an address has its share of them, a proxy and this machine as many as they need', async (t) => {
    // Other addresses than the loopback network cannot be dialled from a test; the rule is the same.
    const { port, url } = await serve(t, store, { limits: { connections: 5 } });
    const open = await Promise.all(Array.from({ length: 5 }, () => dial(port)));
    const sixth = await dial(port);
    await once(sixth, 'close');
    open[0]?.destroy();
    await waitFor(async () => (await fetch(url).catch(() => undefined))?.status === 404, { what: 'a free place' });
    for (const socket of open) socket.destroy();
  });

  test('all addresses of one IPv6 network are one client, and so is an IPv4 address however it is written', () => {
    assert.equal(clientShare('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
    assert.equal(clientShare('2001:db8:1:2::6'), '2001:db8:1:2::/64');
    assert.equal(clientShare('2001:DB8::1'), '2001:db8:0:0::/64');
    assert.equal(clientShare('::1'), '0:0:0:0::/64');
    assert.equal(clientShare('fe80::1%eth0'), 'fe80:0:0:0::/64');
    assert.equal(clientShare('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(clientShare('192.0.2.1'), '192.0.2.1');
  });

  test('a connection is closed after so many requests', async (t) => {
    const { port } = await serve(t, store, { limits: { requestsPerConnection: 3 } });
    const socket = await dial(port);
    const answers = answersOf(socket);
    for (let i = 0; i < 3; i++) socket.write('GET /x HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.deepEqual(await answers, [404, 404, 404]);
  });
});

describe('slow readers', () => {
  test('who takes nearly nothing is cut off, and others download beside him', async (t) => {
    const bytes = randomBytes(20_000_000);
    const { token } = await put(bytes);
    const { port, url } = await serve(t, store, { limits: { downloads: 2, sharePerClient: 1, paceMs: 400 } });
    const slow = await dial(port);
    slow.pause();
    slow.write(`GET /${token}/file HTTP/1.1\r\nHost: x\r\n\r\n`);
    const other = await fetch(`${url}/${token}/file`);
    assert.ok(Buffer.from(await other.arrayBuffer()).equals(bytes));
    await waitFor(() => lines.some(({ event }) => event === 'download-broken'), { what: 'the slow reader to be cut' });
    slow.destroy();
  });

  test('downloads at once are bounded', async (t) => {
    const bytes = randomBytes(20_000_000);
    const { token } = await put(bytes);
    const limits = { downloads: 2, downloadsWaiting: 1, sharePerClient: 1, waitMs: 200 };
    const { port, url } = await serve(t, store, { limits });
    const readers = await Promise.all(Array.from({ length: 2 }, () => dial(port)));
    for (const socket of readers) {
      socket.write(`GET /${token}/file HTTP/1.1\r\nHost: x\r\n\r\n`);
      await once(socket, 'readable');
    }
    const third = await fetch(`${url}/${token}/file`);
    assert.equal(third.status, 503);
    assert.equal(third.headers.get('retry-after'), '5');
    assert.equal((await fetch(`${url}/${token}`)).status, 200);
    for (const socket of readers) socket.destroy();
    await waitFor(async () => (await fetch(`${url}/${token}/file`, { method: 'GET' })).status === 200, {
      what: 'a free place',
    });
  });
});

describe('bytes', () => {
  test('a byte that changed in storage never arrives as a complete file, and is told', async (t) => {
    for (const size of [1, 1000, 3_000_000]) {
      counted.corrupt = 0;
      const { token } = await put(randomBytes(size));
      const { url } = await serve(t, storeAt(spoiler.port), { limits: { corruptMs: 0 } });
      spoiler.trouble = ({ url: path = '' }) => (path.includes('/files/') ? { corruptAt: size >> 1 } : undefined);
      t.after(() => void (spoiler.trouble = () => undefined));
      for (const headers of [{}, { range: 'bytes=0-' }]) {
        await assert.rejects(
          fetch(`${url}/${token}/file`, { headers }).then((response) => response.arrayBuffer()),
          `${size} bytes`,
        );
      }
      await waitFor(() => counted.corrupt === 2, { what: 'both to be counted' });
      assert.ok(lines.some(({ event }) => event === 'file-corrupt'));
      spoiler.trouble = () => undefined;
      assert.equal((await (await fetch(`${url}/${token}/file`)).arrayBuffer()).byteLength, size);
    }
  });

  test('a file that became shorter after it was looked for is cut, with a warning', async (t) => {
    const { token } = await put(randomBytes(3000));
    const short = storeView(store);
    short.openFile = () => Promise.resolve(Readable.from([randomBytes(1000)]));
    const { url } = await serve(t, short, { limits: { corruptMs: 0 } });
    for (const headers of [{}, { range: 'bytes=500-1500' }]) {
      lines.length = 0;
      await assert.rejects(
        fetch(`${url}/${token}/file`, { headers }).then((response) => response.arrayBuffer()),
        JSON.stringify(headers),
      );
      await waitFor(() => lines.find(({ event }) => event === 'download-broken'), { what: 'the cut to be told' });
      assert.deepEqual(
        lines.filter(({ event }) => event === 'download-broken').map(({ level }) => level),
        ['warn'],
      );
      assert.ok(!lines.some(({ event }) => event === 'file-corrupt'), 'the next look at storage tells');
    }
  });

  test('a page whose file is gone says so', async (t) => {
    const bytes = randomBytes(500);
    const { token } = await put(bytes);
    const gone = storeView(store);
    gone.statFile = () => Promise.resolve(undefined);
    const { url } = await serve(t, gone);
    const page = await fetch(`${url}/${token}`);
    assert.equal(page.status, 410);
    assert.match(await page.text(), /missing/);
  });

  test('a reader never sees that a connection to storage broke', async (t) => {
    const bytes = randomBytes(6_000_000);
    const { token } = await put(bytes);
    const { url } = await serve(t, storeAt(spoiler.port));
    const cuts = { links: 0, files: 0 };
    spoiler.trouble = ({ method, url: path = '' }) => {
      if (path.includes('/links/') && cuts.links++ < 1) return { cutAfter: 50 };
      return method === 'GET' && path.includes('/files/') && cuts.files++ < 2 ? { cutAfter: 1_500_000 } : undefined;
    };
    t.after(() => void (spoiler.trouble = () => undefined));
    assert.equal((await fetch(`${url}/${token}`)).status, 200);
    const file = await fetch(`${url}/${token}/file`);
    assert.ok(Buffer.from(await file.arrayBuffer()).equals(bytes));
    assert.deepEqual(cuts, { links: 2, files: 3 });
  });
});

/** A store whose methods can be replaced. */
const storeView = (its: Store): { -readonly [K in keyof Store]: Store[K] } => ({
  wantsMd5: its.wantsMd5,
  prepare: (...args) => its.prepare(...args),
  putFile: (...args) => its.putFile(...args),
  openMessage: (...args) => its.openMessage(...args),
  getPage: (...args) => its.getPage(...args),
  getLink: (...args) => its.getLink(...args),
  getMessage: (...args) => its.getMessage(...args),
  openFile: (...args) => its.openFile(...args),
  statFile: (...args) => its.statFile(...args),
  signedUrl: (...args) => its.signedUrl(...args),
  probe: (...args) => its.probe(...args),
});
