import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startDovecot } from './dovecot.ts';
import { startPostfix } from './postfix.ts';
import { run } from './process.ts';
import { Scenario } from './scenario.ts';

test('mail flows A to B to Dovecot, and a recipient unknown at B comes back as a bounce', async (t) => {
  const scenario = new Scenario(t);
  const dovecot = await scenario.use(startDovecot({ users: ['alice@example.com', 'bob@example.org'] }));
  const b = await scenario.use(
    startPostfix({ dir: 'postfix-b', settings: { virtual_transport: `lmtp:inet:127.0.0.1:${dovecot.lmtpPort}` } }),
  );
  const a = await scenario.use(startPostfix({ dir: 'postfix-a', settings: { relayhost: `[127.0.0.1]:${b.port}` } }));
  const args = ['--server', `127.0.0.1:${a.port}`, '--from', 'alice@example.com', '--suppress-data'];
  await run('swaks', [...args, '--to', 'bob@example.org,nobody@example.org', '--body', 'hello']);
  const [mail] = await dovecot.waitForMail('bob@example.org');
  assert.match(String(mail), /\r\n\r\nhello\r\n/);
  const [bounce] = await dovecot.waitForMail('alice@example.com');
  assert.match(String(bounce), /nobody@example\.org.*\r\n[^]*550 5\.1\.1/);
  await a.waitForEmptyQueue();
});
