import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { link, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeAddress, Listeners } from './listeners.ts';

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

test('an error names the key of the configuration and what to do', async (t) => {
  const neighbour = createServer().listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
  t.after(() => neighbour.close());
  const { port } = neighbour.address() as AddressInfo;
  const listeners = new Listeners();
  await assert.rejects(listeners.open({ key: 'inbound', address: '127.0.0.1', port }, t.signal), {
    code: 'EADDRINUSE',
    message: new RegExp(
      `^inbound\\.port: 127\\.0\\.0\\.1:${port} cannot be opened \\(.*\\): another program listens there: .*ss -ltnp`,
    ),
  });
  await assert.rejects(listeners.open({ key: 'links', address: '192.0.2.1', port }, t.signal), {
    message: /^links\.port: 192\.0\.2\.1:\d+ cannot be opened \(.*\): this machine does not have that address/,
  });
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

test('a UNIX socket: its permissions, connections that wait, and one that a killed process left behind', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'detach-socket-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'milter.sock');
  const wanted = { address: `unix:${path}`, port: 0, socketMode: 0o620, socketGroup: undefined };
  const listeners = new Listeners();
  const held = await listeners.open(wanted, t.signal);
  assert.equal(describeAddress(held), `unix:${path}`);
  assert.equal((await stat(path)).mode & 0o777, 0o620);
  const server = createServer((socket) => socket.on('error', () => undefined).end('hello')).listen(held.handle);
  await once(server, 'listening');
  const other = new Listeners();
  await assert.rejects(other.open(wanted, t.signal), { code: 'EADDRINUSE' });
  assert.equal(String(await once(connect(path).setEncoding('latin1'), 'data')), 'hello');
  await link(path, `${path}.left`);
  server.close();
  listeners.keep([]);
  await rename(`${path}.left`, path);
  await other.open(wanted, t.signal);
  other.keep([]);
  await writeFile(path, 'a file');
  await assert.rejects(other.open(wanted, t.signal), { code: 'EADDRINUSE' });
  await rm(path);
  const noGroup = { ...wanted, socketGroup: 'no-such-group' };
  await assert.rejects(other.open(noGroup, t.signal), /inbound\.socketGroup: there is no group no-such-group/);
});
