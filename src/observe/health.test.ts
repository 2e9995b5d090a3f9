import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { type HealthServer, startHealthServer } from './health.ts';
import { createMeter } from './meter.ts';
import type { Check } from './readiness.ts';

async function start(t: TestContext, checks: readonly Check[] = []): Promise<HealthServer & { readonly url: string }> {
  const { registry } = createMeter('c1');
  const server = await startHealthServer({ metrics: { address: '127.0.0.1', port: 0 }, figures: registry, checks });
  t.after(() => server.close());
  return { ...server, url: `http://${server.address}` };
}

test('/metrics is what Prometheus reads', async (t) => {
  const { url } = await start(t);
  const response = await fetch(`${url}/metrics?debug=1`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  assert.match(await response.text(), /^detach_mta_clients 0$/m);
});

test('/healthz answers while the process serves, whatever else is down', async (t) => {
  const { url } = await start(t, [{ name: 'storage', check: () => Promise.resolve(false) }]);
  const response = await fetch(`${url}/healthz`);
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { alive: true });
});

test('/readyz names what is not ready', async (t) => {
  const good = await start(t, [{ name: 'storage', check: () => Promise.resolve(true) }]);
  const ready = await fetch(`${good.url}/readyz`);
  assert.equal(ready.status, 200);
  assert.deepEqual(await ready.json(), { ready: true });
  const bad = await start(t, [
    { name: 'storage', check: () => Promise.reject(new Error('AccountKey=hush')) },
    { name: 'nextHop', check: () => Promise.resolve(true) },
  ]);
  const notReady = await fetch(`${bad.url}/readyz`);
  assert.equal(notReady.status, 503);
  assert.deepEqual(await notReady.json(), { ready: false, notReady: ['storage'] });
});

test('requests sent together cut their connection, and the figures are asked for once for all', async (t) => {
  let asked = 0;
  let answer: (text: string) => void = () => undefined;
  const figures = {
    contentType: 'text/plain',
    metrics: () => {
      asked += 1;
      return new Promise<string>((resolve) => (answer = resolve));
    },
  };
  const server = await startHealthServer({ metrics: { address: '127.0.0.1', port: 0 }, figures, checks: [] });
  t.after(() => server.close());
  const url = `http://${server.address}`;
  const waiting = [1, 2, 3].map(async () => (await fetch(`${url}/metrics`)).text());
  const [host, port] = server.address.split(':');
  const flood = connect(Number(port), host);
  flood.on('error', () => undefined).resume();
  flood.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5000));
  await new Promise((resolve) => flood.once('close', resolve));
  assert.equal(asked, 1);
  // One after the other on one connection, as scrapers do.
  for (let i = 0; i < 20; i++) assert.equal((await (await fetch(`${url}/healthz`)).text()).trim(), '{"alive":true}');
  answer('figures');
  assert.deepEqual(await Promise.all(waiting), ['figures', 'figures', 'figures']);
});

test('GET and HEAD of three pages, nothing else', async (t) => {
  const { url } = await start(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const response = await fetch(`${url}/metrics`, { method, body: method === 'POST' ? 'x' : null });
    assert.equal(response.status, 405, method);
    assert.equal(response.headers.get('allow'), 'GET, HEAD');
  }
  for (const path of ['/', '/metrics/', '/METRICS', '/readyz/x', '//healthz', '/..%2fmetrics']) {
    assert.equal((await fetch(url + path)).status, 404, path);
  }
  const get = await fetch(`${url}/healthz`);
  const head = await fetch(`${url}/healthz`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get('content-length'), get.headers.get('content-length'));
  assert.equal(await head.text(), '');
});

test('answers are for machines: not stored, not guessed at, not shown in frames', async (t) => {
  const { url } = await start(t);
  for (const path of ['/metrics', '/healthz', '/readyz', '/nothing']) {
    const { headers } = await fetch(url + path);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.equal(headers.get('x-powered-by'), null);
  }
});

test('an address that is taken fails the start', async (t) => {
  const { address } = await start(t);
  const { registry } = createMeter('c2');
  const port = Number(address.split(':')[1]);
  await assert.rejects(startHealthServer({ metrics: { address: '127.0.0.1', port }, figures: registry, checks: [] }), {
    code: 'EADDRINUSE',
  });
});

test('closing does not wait for a client that keeps its connection, nor for a check', async () => {
  const { registry } = createMeter('c1');
  let asked: (() => void) | undefined;
  const wasAsked = new Promise<void>((resolve) => (asked = resolve));
  const deaf = (): Promise<boolean> => {
    asked?.();
    return new Promise(() => undefined);
  };
  const server = await startHealthServer({
    metrics: { address: '127.0.0.1', port: 0 },
    figures: registry,
    checks: [{ name: 'deaf', check: deaf }],
  });
  const socket = connect(Number(server.address.split(':')[1]), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await wasAsked;
  const ended = once(socket, 'close');
  await server.close();
  await ended;
});
