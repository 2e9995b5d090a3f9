/** Who gets a connection when there are too many. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { RepeatedLines } from '../observe/interface.ts';
import { NetworkList } from '../smtp/networks.ts';
import { Connections } from './connections.ts';

const ignore = (): void => undefined;

async function serve(t: TestContext, limits: { readonly connections: number; readonly connectionsPerAddress: number }) {
  const lines = new RepeatedLines({ debug: ignore, info: ignore, warn: ignore, error: ignore });
  const connections = new Connections({
    limits: { pipelined: 8, requestsPerConnection: 1000, ...limits },
    sharedBy: new NetworkList([]),
    lines,
    namesClients: false,
  });
  let finish: () => void = ignore;
  const server = createServer((request, response) =>
    connections.serve(response, async () => {
      if (request.url === '/slow') await new Promise<void>((resolve) => (finish = resolve));
      response.end('page');
    }),
  );
  server.on('connection', connections.opened);
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  t.after(() => {
    finish();
    server.closeAllConnections();
    server.close();
    lines.close();
  });
  const { port } = server.address() as AddressInfo;
  const dial = async (localAddress: string): Promise<Socket> => {
    const accepted = once(server, 'connection');
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    socket.on('error', ignore);
    socket.resume();
    await Promise.all([once(socket, 'connect'), accepted]);
    return socket;
  };
  const page = async (localAddress: string): Promise<number | undefined> => {
    const request = get({ port, host: '127.0.0.1', localAddress, agent: false });
    const [response] = (await once(request, 'response')) as [{ statusCode?: number; resume(): void }];
    response.resume();
    return response.statusCode;
  };
  return { dial, page, requested: () => once(server, 'request'), finish: () => finish() };
}

test('idle connections of many addresses keep out nobody', async (t) => {
  const { dial, page } = await serve(t, { connections: 20, connectionsPerAddress: 10 });
  for (let i = 0; i < 60; i++) await dial(`127.0.0.${2 + (i % 6)}`);
  for (let i = 0; i < 5; i++) assert.equal(await page('127.0.1.1'), 200);
});

test('the one that goes is idle, and of the address with the most', async (t) => {
  const { dial, requested, finish } = await serve(t, { connections: 3, connectionsPerAddress: 3 });
  const innocent = await dial('127.0.1.1');
  const busy = await dial('127.0.0.2');
  const arrived = requested();
  busy.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
  await arrived;
  const idle = await dial('127.0.0.2');
  const gone = once(idle, 'close');
  await dial('127.0.1.2');
  await gone;
  finish();
  const [answer] = (await once(busy, 'data')) as [Buffer];
  assert.match(answer.toString('latin1'), /^HTTP\/1.1 200 /);
  assert.equal(innocent.closed, false);
});

test('one address has no more than its share', async (t) => {
  const { dial, page } = await serve(t, { connections: 20, connectionsPerAddress: 4 });
  for (let i = 0; i < 4; i++) await dial('127.0.0.2');
  await once(await dial('127.0.0.2'), 'close');
  assert.equal(await page('127.0.0.3'), 200);
});
