import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { randomBytes, sha256 } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
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
