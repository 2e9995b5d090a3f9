/**
 * The contract with nodemailer. Symptom when a version breaks it: this test names the member that moved. Then read what
 * the library does there now, adapt `library.ts`, and pin the new version.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { test } from 'node:test';
import { LibraryConnection, privateFields, privateListeners } from './library.ts';
import { ScriptedPeer } from './testing/scripted-peer.ts';
import { hello } from './testing/transaction.ts';

const require = createRequire(import.meta.url);

test('the version is pinned exactly', () => {
  const { dependencies } = require('../../package.json') as { readonly dependencies: Readonly<Record<string, string>> };
  const { version } = require('nodemailer/package.json') as { readonly version: string };
  assert.equal(dependencies['nodemailer'], version);
});

test('every private member that is used exists, and the library is gone from the socket afterwards', async (t) => {
  const peer = await ScriptedPeer.listen(t, hello('PIPELINING'));
  const socket = connect(peer.port, '127.0.0.1');
  await once(socket, 'connect');
  const before = privateListeners.map(([event]) => socket.listenerCount(event));
  const connection = new LibraryConnection({
    connection: socket,
    host: 'b.example',
    name: 'relay.example',
    ignoreTLS: true,
  });
  await new Promise<void>((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())));
  const source = readFileSync(require.resolve('nodemailer/lib/smtp-connection'), 'utf8');
  for (const name of privateFields)
    assert.ok(source.includes(`this.${name} = `), `nodemailer: SMTPConnection has no field ${name} any more`);
  assert.equal(connection._socket, socket);
  for (const [event, name] of privateListeners) {
    const listener: unknown = Reflect.get(connection, name);
    assert.ok(
      socket.listeners(event).includes(listener as () => void),
      `nodemailer: ${name} does not listen to '${event}' of the socket any more`,
    );
  }
  assert.match(connection.lastReply, /^250[- ]/, 'nodemailer: lastServerResponse is not the reply to EHLO any more');
  assert.equal(connection.tlsBegun, false);
  assert.equal(connection.takeOver(socket), socket);
  assert.deepEqual(
    privateListeners.map(([event]) => socket.listenerCount(event)),
    before,
    'nodemailer still listens to the socket that was taken over',
  );
  socket.destroy();
});

test('no other file touches them', () => {
  const folder = new URL('./', import.meta.url);
  const names = [...privateFields, ...privateListeners.map(([, name]) => name)];
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || /^library(?:\.test)?\.ts$/.test(file)) continue;
    const text = readFileSync(new URL(file, folder), 'utf8');
    for (const name of names) assert.ok(!text.includes(`.${name}`), `${file} touches ${name}`);
  }
});
