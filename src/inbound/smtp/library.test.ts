/**
 * The contract with smtp-server. Symptom when a version breaks it: this test names the member that moved. Then read what
 * the library does there now, adapt `library.ts`, and pin the new version.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { SMTPServer } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import { privateMembers } from './library.ts';

const file = new URL('library.ts', import.meta.url);
const member = /(?:\b(?:this|super|connection|server|socket|parser)\.|override )(_\w+)/g;

test('the version is pinned exactly', () => {
  const { dependencies } = createRequire(import.meta.url)('../../../package.json') as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const installed = createRequire(import.meta.url)('smtp-server/package.json') as { readonly version: string };
  assert.equal(dependencies['smtp-server'], installed.version);
});

test('every private member that is used exists', () => {
  for (const name of privateMembers.server)
    assert.equal(typeof SMTPServer.prototype[name], 'function', `smtp-server: SMTPServer has no ${name}() any more`);
  for (const name of privateMembers.connection)
    assert.equal(typeof SMTPConnection.prototype[name], 'function', `smtp-server: SMTPConnection has no ${name}()`);
  const server = new SMTPServer({ disabledCommands: ['STARTTLS'] });
  const socket = { pipe: () => undefined, remoteAddress: '127.0.0.1' };
  const connection = new SMTPConnection(server, socket as unknown as ConstructorParameters<typeof SMTPConnection>[1]);
  for (const name of privateMembers.connectionFields)
    assert.ok(name in connection, `smtp-server: SMTPConnection has no field ${name} any more`);
  assert.equal(connection._socket, socket);
});

test('the list of private members is complete', () => {
  const used = new Set([...readFileSync(file, 'utf8').matchAll(member)].map(([, name]) => name));
  assert.deepEqual([...used].sort(), Object.values(privateMembers).flat().sort());
});

test('no other file touches them', () => {
  const root = new URL('../', import.meta.url);
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || /library(?:\.test)?\.ts$/.test(name)) continue;
    const text = readFileSync(new URL(name, root), 'utf8');
    const own = ['_write'];
    const touched = [...text.matchAll(member)].map(([, found]) => found).filter((found) => !own.includes(found ?? ''));
    assert.deepEqual(touched, [], `${name} touches private members`);
    assert.ok(!text.includes('smtp-server/lib/'), `${name} imports internals of smtp-server`);
  }
});
