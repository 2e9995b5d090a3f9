import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAzurite } from '../harness/azurite.ts';
import { buildMessage } from '../harness/build-message.ts';
import { startDetach } from '../harness/detach-mta.ts';
import { startHttpProxy } from '../harness/http-proxy.ts';
import { randomBytes, sha256 } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startSink } from '../harness/sink.ts';
import { linkIn, startBetween, startChain, withoutTrace } from './chain.ts';

const file = randomBytes(2_000_000, 'storage');
const large = buildMessage({
  from: 'alice@example.com',
  to: 'bob@example.org',
  attachments: [{ name: 'a.pdf', type: 'application/pdf', content: file }],
});
const envelope = { from: 'alice@example.com', to: ['bob@example.org'] };

test('storage down: 451, the mail waits at A and arrives after recovery', async (t) => {
  const { a, azurite, dovecot } = await startChain(new Scenario(t));
  await azurite.down();
  await sendMail({ port: a.port, ...envelope, message: large });
  await a.waitForLog(/status=deferred .*451 4\.3\.0 file storage is not available/);
  const small = buildMessage({ from: 'alice@example.com', to: 'carol@example.org' });
  await sendMail({ port: a.port, from: 'alice@example.com', to: ['carol@example.org'], message: small });
  await dovecot.waitForMail('carol@example.org');
  assert.equal(dovecot.count('bob@example.org'), 0);
  await azurite.up();
  await a.flush();
  const [copy] = await dovecot.waitForMail('bob@example.org');
  assert.ok(copy);
  const download = await fetch(`${linkIn(copy)}/file`);
  assert.equal(sha256(Buffer.from(await download.arrayBuffer())), sha256(file));
  await a.waitForEmptyQueue();
});

test('storage down, onStorageFailure: pass: the message goes whole, byte for byte', async (t) => {
  const { detach, sink, azurite } = await startBetween(new Scenario(t), {
    detach: { detach: { onStorageFailure: 'pass' } },
  });
  await azurite.down();
  const sent = await sendMail({ port: detach.port, ...envelope, message: large });
  assert.equal(sent.final[0]?.code, 250);
  assert.deepEqual(withoutTrace(sink.messages[0]!.data, large), large);
});

test('a byte changes on its way to storage: 451, no link, nothing stored, and the retry is good', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite());
  const proxy = await scenario.use(startHttpProxy(azurite.port));
  const sink = await scenario.use(startSink());
  const storage = azurite.connectionString.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${proxy.port}`);
  const detach = await scenario.use(startDetach({ nextHop: sink.port, storage }));
  proxy.trouble = ({ method, url }) =>
    method === 'PUT' && url?.includes('/files/') ? { corruptUploadAt: 1_234_567 } : undefined;
  const refused = await sendMail({ port: detach.port, ...envelope, message: large });
  assert.match(refused.final[0]?.text ?? '', /^451 4\.3\.0 /);
  assert.match(detach.describe(), /MD5/);
  assert.equal(sink.messages.length, 0);
  const written = (kind: string): boolean =>
    proxy.requests.some(({ method, path }) => method === 'PUT' && path.includes(`/${kind}/`));
  assert.equal(written('links'), false);
  proxy.trouble = () => undefined;
  const sent = await sendMail({ port: detach.port, ...envelope, message: large });
  assert.equal(sent.final[0]?.code, 250);
  const download = await fetch(`${linkIn(sink.messages[0]!.data)}/file`);
  assert.equal(sha256(Buffer.from(await download.arrayBuffer())), sha256(file));
});

test('a full spool: 452, and room again once the other message is gone', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), { detach: { spool: { maxBytes: 1_000_000 } } });
  const refused = await sendMail({ port: detach.port, ...envelope, message: large });
  assert.match(refused.final[0]?.text ?? '', /^452 4\.3\.1 /);
  const fits = buildMessage({
    from: 'alice@example.com',
    to: 'bob@example.org',
    attachments: [{ name: 'b.bin', content: randomBytes(900_000) }],
  });
  for (let i = 0; i < 3; i += 1) {
    const sent = await sendMail({ port: detach.port, ...envelope, message: fits });
    assert.equal(sent.final[0]?.code, 250);
  }
  assert.equal(sink.messages.length, 3);
});
