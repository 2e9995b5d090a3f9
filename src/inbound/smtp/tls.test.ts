import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as tls from 'node:tls';
import type { Client, Transactions } from '../interface.ts';
import { startInbound } from './server.ts';
import { doorSettings } from './testing/door.ts';

const directory = mkdtempSync(join(tmpdir(), 'inbound-tls-'));
const cert = join(directory, 'a.pem');
const key = join(directory, 'a.key');
const request = 'req -x509 -newkey rsa:2048 -noenc -days 2 -subj /CN=detach.example';
execFileSync('openssl', [...request.split(' '), '-keyout', key, '-out', cert], { stdio: 'pipe' });

const clients: Client[] = [];
const ok = { code: 250, lines: ['2.1.0 Ok'] };
const transactions: Transactions = {
  mail: (_command, { client, rcpts }) => {
    clients.push(client);
    return Promise.resolve([ok, ...rcpts.map(() => ok)]);
  },
  rcpt: (commands) => Promise.resolve(commands.map(() => ok)),
  refuseData: () => undefined,
  data: () => Promise.resolve([ok]),
  reset: () => undefined,
  close: () => undefined,
};
const none = (): undefined => undefined;
const inbound = await startInbound({
  hostname: 'detach.example',
  inbound: {
    ...doorSettings,
    tls: { mode: 'required', cert, key },
  },
  offers: { extensions: () => [] },
  log: { debug: none, info: none, warn: none, error: none },
  meter: { clients: none },
  open: () => transactions,
});
after(async () => {
  await inbound.close({ hurry: AbortSignal.abort(), deadline: AbortSignal.abort() });
  rmSync(directory, { recursive: true });
});

/** Reads until a line that is the last one of a reply. */
async function readReply(socket: Socket): Promise<string> {
  let text = '';
  while (!/^\d{3} .*\r\n$/m.test(text)) text += String((await once(socket, 'data'))[0]);
  return text;
}

async function untilTls(behind = ''): Promise<Socket> {
  const socket = connect(inbound.port, '127.0.0.1');
  assert.match(await readReply(socket), /^220 /);
  socket.write('EHLO a.example\r\n');
  assert.match(await readReply(socket), /250 STARTTLS\r\n/);
  socket.write(`STARTTLS\r\n${behind}`);
  assert.equal(await readReply(socket), '220 2.0.0 Ready to start TLS\r\n');
  return socket;
}

async function secured(socket: Socket, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
  const secure = tls.connect({ socket, rejectUnauthorized: false, ...options });
  await once(secure, 'secureConnect');
  return secure;
}

test('before TLS there is no mail; afterwards the client must greet again', async () => {
  const socket = connect(inbound.port, '127.0.0.1');
  await readReply(socket);
  socket.write('EHLO a.example\r\nMAIL FROM:<a@a.example>\r\n');
  let said = '';
  while (!said.includes('530 ')) said += await readReply(socket);
  assert.match(said, /^530 5\.7\.0 /m);
  socket.write('STARTTLS\r\n');
  await readReply(socket);
  const secure = await secured(socket);
  secure.write('MAIL FROM:<a@a.example>\r\n');
  assert.match(await readReply(secure), /^503 /);
  secure.write('EHLO a.example\r\n');
  assert.doesNotMatch(await readReply(secure), /STARTTLS/);
  secure.write('STARTTLS\r\n');
  assert.match(await readReply(secure), /^503 /);
  secure.write('MAIL FROM:<a@a.example>\r\n');
  assert.match(await readReply(secure), /^250 /);
  assert.equal(clients.at(-1)?.protocol, 'ESMTPS');
  secure.destroy();
});

test('what was sent in clear behind STARTTLS is never carried out', async () => {
  const before = clients.length;
  for (const behind of ['EHLO evil.example\r\nMAIL FROM:<evil@a.example>\r\n', 'NOOP\r\n'.repeat(500)]) {
    const socket = await untilTls(behind);
    // The handshake needs a clean stream: what follows STARTTLS in clear breaks it, or is dropped.
    const secure = await secured(socket).catch(() => undefined);
    if (!secure) continue;
    secure.write('MAIL FROM:<a@a.example>\r\n');
    assert.match(await readReply(secure), /^503 /);
    secure.destroy();
  }
  assert.equal(clients.length, before);
});

test('only ECDHE with AEAD', async () => {
  for (const [ciphers, version] of [
    ['ECDHE-RSA-AES128-GCM-SHA256', 'TLSv1.2'],
    ['ECDHE-RSA-AES256-GCM-SHA384', 'TLSv1.2'],
    ['ECDHE-RSA-CHACHA20-POLY1305', 'TLSv1.2'],
    ['TLS_AES_128_GCM_SHA256', 'TLSv1.3'],
  ] as const) {
    const secure = await secured(await untilTls(), { ciphers, maxVersion: version });
    assert.equal(secure.getCipher().name, ciphers);
    secure.destroy();
  }
  for (const ciphers of [
    'ECDHE-RSA-AES128-SHA256',
    'ECDHE-RSA-AES256-SHA',
    'AES128-GCM-SHA256',
    'DHE-RSA-AES128-GCM-SHA256',
  ]) {
    const socket = await untilTls();
    await assert.rejects(secured(socket, { ciphers, maxVersion: 'TLSv1.2' }), ciphers);
    socket.destroy();
  }
});

test('in TLS 1.3 too only groups of elliptic curves', async () => {
  for (const ecdhCurve of ['X25519', 'P-256', 'P-384']) {
    const secure = await secured(await untilTls(), { ecdhCurve, minVersion: 'TLSv1.3' });
    assert.equal(secure.getProtocol(), 'TLSv1.3');
    secure.destroy();
  }
  const socket = await untilTls();
  await assert.rejects(secured(socket, { ecdhCurve: 'ffdhe2048', minVersion: 'TLSv1.3' }));
  socket.destroy();
});
