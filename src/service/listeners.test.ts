import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Listeners } from './listeners.ts';

test("a socket that the supervisor holds: connections wait until somebody accepts on it (Node's own, not public)", async (t) => {
  const listeners = new Listeners();
  t.after(() => listeners.keep([]));
  const held = await listeners.open({ address: '127.0.0.1', port: 0 }, t.signal);
  assert.ok(held.port > 0);
  const first = createServer((socket) => socket.end('first')).listen(held.handle);
  await once(first, 'listening');
  assert.equal((first.address() as AddressInfo).port, held.port);
  const client = connect(held.port, held.address).setEncoding('latin1');
  assert.equal(String(await once(client, 'data')), 'first');
  first.close();
});

test('the same address is the same socket; a name is looked up; what is not kept is closed', async (t) => {
  const listeners = new Listeners();
  const held = await listeners.open({ address: 'localhost', port: 0 }, t.signal);
  assert.equal(await listeners.open({ address: 'localhost', port: 0 }, t.signal), held);
  listeners.keep([held]);
  assert.equal(await listeners.open({ address: 'localhost', port: 0 }, t.signal), held);
  listeners.keep([]);
  const again = await listeners.open({ address: '127.0.0.1', port: held.port }, t.signal);
  assert.equal(again.port, held.port);
  listeners.keep([]);
});

test('an address of another machine, and a port that stays taken, are refused with the reason', async (t) => {
  const neighbour = createServer().listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
  t.after(() => neighbour.close());
  const { port } = neighbour.address() as AddressInfo;
  const listeners = new Listeners();
  await assert.rejects(listeners.open({ address: '192.0.2.1', port: 25 }, t.signal), { code: 'EADDRNOTAVAIL' });
  await assert.rejects(listeners.open({ address: '127.0.0.1', port }, t.signal), {
    code: 'EADDRINUSE',
    message: `listen EADDRINUSE: 127.0.0.1:${port}`,
  });
});

test('a port that becomes free in time is taken', async (t) => {
  const neighbour = createServer().listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
  const { port } = neighbour.address() as AddressInfo;
  const listeners = new Listeners();
  const opening = listeners.open({ address: '127.0.0.1', port }, t.signal);
  setTimeout(() => neighbour.close(), 100);
  assert.equal((await opening).port, port);
  listeners.keep([]);
});
