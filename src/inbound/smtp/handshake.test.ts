/** TLS handshakes that fail, or never end. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as tls from 'node:tls';
import { openDoor } from './testing/door.ts';

const directory = mkdtempSync(join(tmpdir(), 'inbound-handshake-'));
after(() => rmSync(directory, { recursive: true }));
const cert = join(directory, 'a.pem');
const key = join(directory, 'a.key');
const request = 'req -x509 -newkey rsa:2048 -noenc -days 2 -subj /CN=detach.example';
execFileSync('openssl', [...request.split(' '), '-keyout', key, '-out', cert], { stdio: 'pipe' });
const settings = { tls: { mode: 'optional', cert, key } } as const;

/** Just behind the reply to STARTTLS. */
async function untilTls(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  let said = '';
  const read = async (last: RegExp): Promise<void> => {
    while (!last.test(said)) said += String((await once(socket, 'data'))[0]);
    said = '';
  };
  await read(/^220 /m);
  socket.write('EHLO a.example\r\n');
  await read(/^250 /m);
  socket.write('STARTTLS\r\n');
  await read(/^220 /m);
  return socket;
}

/** Not `once`, which fails with a connection that is reset. */
const closed = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => {
    socket.resume().once('close', resolve);
  });

async function handshake(socket: Socket, options: tls.ConnectionOptions): Promise<void> {
  const secure = tls.connect({ socket, rejectUnauthorized: false, ...options });
  secure.on('error', () => undefined);
  await new Promise((resolve) => secure.once('close', resolve));
}

/**
 * Symptom: `client-error` told of each failed handshake twice, with a line of OpenSSL's that names its source file. Cause:
 * the library reports the error of the socket in TLS and again that of the one below it.
 */
const failures: readonly (readonly [what: string, reason: RegExp, fail: (socket: Socket) => Promise<void>])[] = [
  [
    'no TLS',
    /what the client sent is no TLS$/,
    async (socket) => {
      socket.write('MAIL FROM:<a@a.example>\r\n');
      await closed(socket);
    },
  ],
  [
    'an old version',
    /no version of TLS that is taken here/,
    (socket) => handshake(socket, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
  ],
  [
    'an old cipher',
    /no cipher or curve that is taken here$/,
    (socket) => handshake(socket, { ciphers: 'AES128-GCM-SHA256', maxVersion: 'TLSv1.2' }),
  ],
  [
    'a curve that is not taken',
    /no cipher or curve that is taken here$/,
    (socket) => handshake(socket, { ecdhCurve: 'ffdhe2048', minVersion: 'TLSv1.3' }),
  ],
  [
    'no trust',
    /does not accept our certificate$/,
    async (socket) => {
      const asks = ['-connect', `127.0.0.1:${socket.remotePort}`, '-starttls', 'smtp', '-verify_return_error'];
      const client = spawn('openssl', ['s_client', ...asks], { stdio: ['ignore', 'ignore', 'ignore'] });
      await once(client, 'exit');
      socket.destroy();
    },
  ],
];

for (const [what, reason, fail] of failures)
  test(`a handshake that fails is one line in plain words: ${what}`, async () => {
    const { port, lines, inbound } = await openDoor(settings);
    await fail(await untilTls(port));
    await inbound.close({ hurry: AbortSignal.abort(), deadline: AbortSignal.abort() });
    assert.deepEqual(
      lines.map(({ event, count }) => [event, count]),
      [['client-error', undefined]],
      JSON.stringify(lines),
    );
    const { reason: said } = lines[0]!;
    assert.match(String(said), /^TLS handshake failed: /);
    assert.match(String(said), reason);
    assert.doesNotMatch(JSON.stringify(lines), /routines|ssl3|error:/i);
  });

test('failed handshakes of one kind and address are summed up, another kind has a line of its own', async () => {
  const { port, lines, inbound } = await openDoor(settings);
  for (let i = 0; i < 5; i++) await failures[0]![2](await untilTls(port));
  await failures[2]![2](await untilTls(port));
  await inbound.close({ hurry: AbortSignal.abort(), deadline: AbortSignal.abort() });
  assert.deepEqual(
    lines.map(({ count }) => count),
    [undefined, undefined, 4],
  );
});

test('a handshake that does not end gives its place back, whatever trickles in', async () => {
  const { port, lines, inbound } = await openDoor({ ...settings, maxClients: 2 }, { handshakeMs: 2000 });
  const [silent, slow] = await Promise.all([untilTls(port), untilTls(port)]);
  // The beginning of a ClientHello that never comes.
  slow.write(Buffer.from([22, 3, 1, 2, 0]));
  const trickle = setInterval(() => slow.write(Buffer.from([1])), 50);
  await Promise.all([silent, slow].map(closed));
  clearInterval(trickle);
  // Both places are free, and who comes now is served for longer than a handshake may take.
  const secure = await Promise.all([untilTls(port), untilTls(port)]).then((sockets) =>
    sockets.map((socket) => tls.connect({ socket, rejectUnauthorized: false })),
  );
  await Promise.all(secure.map((each) => once(each, 'secureConnect')));
  await new Promise((resolve) => setTimeout(resolve, 2200));
  for (const each of secure) {
    each.write('NOOP\r\n');
    assert.match(String((await once(each, 'data'))[0]), /^250 /);
    each.destroy();
  }
  await inbound.close({ hurry: AbortSignal.abort(), deadline: AbortSignal.abort() });
  assert.deepEqual(
    lines.map(({ event, reason, count }) => [event, reason, count]),
    [
      ['client-error', 'TLS handshake failed: not finished within 2 s', undefined],
      ['client-error', 'TLS handshake failed: not finished within 2 s', 1],
    ],
  );
});
