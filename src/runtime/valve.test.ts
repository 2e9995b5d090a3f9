import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Writable } from 'node:stream';
import { Valve } from './valve.ts';

const mebibyte = 1024 * 1024;

/** Both ends of a connection; the accepting one is piped into `sink`. */
async function connected(sink: Writable): Promise<{ client: Socket; accepted: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  server.close();
  after(() => {
    client.destroy();
    accepted.destroy();
  });
  accepted.pipe(sink);
  return { client, accepted };
}

test('nothing is read while the valve is closed, and nothing is lost once it is open', async () => {
  const valve = new Valve();
  const taken: Buffer[] = [];
  let goOn: (() => void) | undefined;
  const sink = new Writable({
    write(chunk: Buffer, _encoding, next) {
      taken.push(chunk);
      if (taken.length > 1) {
        next();
        return;
      }
      valve.close();
      goOn = () => {
        valve.open();
        next();
      };
    },
  });
  sink.on('pipe', (source) => valve.attach(source));
  const { client, accepted } = await connected(sink);
  const sent = Buffer.from(Array.from({ length: mebibyte }, (_, i) => (i * 31) >> 4));
  client.write(sent.subarray(0, 64 * 1024));
  while (!goOn) await setTimeout(1);
  client.end(sent.subarray(64 * 1024));
  await setTimeout(50);
  assert.equal(taken.length, 1);
  assert.equal(accepted.readableLength, 0, 'nothing waits in memory');
  assert.equal(accepted.bytesRead, taken[0]!.length);
  goOn();
  await once(sink, 'finish');
  assert.ok(Buffer.concat(taken).equals(sent));
});

test('opened before it was asked to read, or several times, it changes nothing', async () => {
  const valve = new Valve();
  const taken: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, next) {
      taken.push(chunk);
      valve.close();
      valve.open();
      valve.open();
      next();
    },
  });
  sink.on('pipe', (source) => valve.attach(source));
  const { client } = await connected(sink);
  const sent = Buffer.alloc(mebibyte, 'detach');
  client.end(sent);
  await once(sink, 'finish');
  assert.ok(Buffer.concat(taken).equals(sent));
});
