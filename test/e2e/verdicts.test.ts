import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startBetween, startChain } from './chain.ts';

test('B refuses one of three: two get the mail, the sender gets one bounce from A with the words of B', async (t) => {
  const { a, dovecot } = await startChain(new Scenario(t));
  const to = ['bob@example.org', 'nobody@example.org', 'carol@example.org'];
  const message = buildMessage({
    from: 'alice@example.com',
    to,
    attachments: [{ name: 'a.bin', content: randomBytes(2_000_000) }],
  });
  await sendMail({ port: a.port, from: 'alice@example.com', to, message });
  await dovecot.waitForMail('bob@example.org');
  await dovecot.waitForMail('carol@example.org');
  const [bounce] = await dovecot.waitForMail('alice@example.com');
  await a.waitForEmptyQueue();
  assert.match(String(bounce), /Final-Recipient: rfc822; ?nobody@example\.org/);
  assert.match(String(bounce), /Reporting-MTA: dns; mail-a\.example\.net/);
  assert.match(
    String(bounce).replace(/\r\n +/g, ' '),
    /550 5\.1\.1 <nobody@example\.org>: Recipient address rejected: User unknown/,
  );
  for (const user of ['alice@example.com', 'bob@example.org', 'carol@example.org'])
    assert.equal(dovecot.count(user), 1);
});

test('an LMTP client hears the one verdict of an SMTP next hop for each recipient', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), { detach: { inbound: { protocol: 'lmtp' } } });
  const envelope = {
    port: detach.port,
    protocol: 'lmtp' as const,
    from: 'a@example.com',
    to: ['b@x.example', 'c@x.example'],
  };
  const sent = await sendMail({ ...envelope, message: buildMessage({ from: 'a@example.com', to: envelope.to }) });
  assert.deepEqual(
    sent.final.map((reply) => reply.code),
    [250, 250],
  );
  assert.equal(sink.messages.length, 1);
});

test('an LMTP next hop answers for each recipient, and an LMTP client hears each', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), {
    sink: {
      protocol: 'lmtp',
      answer: ({ stage, recipient }) =>
        stage === 'message' && recipient === 'full@x.example' ? '452 4.2.2 mailbox full' : undefined,
    },
    detach: { inbound: { protocol: 'lmtp' }, outbound: { protocol: 'lmtp' } },
  });
  const to = ['b@x.example', 'full@x.example', 'c@x.example'];
  const message = buildMessage({ from: 'a@example.com', to });
  const sent = await sendMail({ port: detach.port, protocol: 'lmtp', from: 'a@example.com', to, message });
  assert.deepEqual(
    sent.final.map((reply) => reply.text),
    ['250 2.0.0 Ok', '452 4.2.2 mailbox full', '250 2.0.0 Ok'].map((text, i) => (i === 1 ? text : sent.final[i]?.text)),
  );
  assert.deepEqual(
    sent.final.map((reply) => reply.code),
    [250, 452, 250],
  );
  assert.equal(sink.messages.length, 2);
});

test('an SMTP client in front of an LMTP next hop: one recipient a transaction, none is lost', async (t) => {
  const { detach } = await startBetween(new Scenario(t), {
    sink: { protocol: 'lmtp' },
    detach: { outbound: { protocol: 'lmtp' } },
  });
  const to = ['b@x.example', 'c@x.example'];
  const message = buildMessage({ from: 'a@example.com', to });
  const sent = await sendMail({ port: detach.port, from: 'a@example.com', to, message });
  assert.equal(sent.rcpt[0]?.code, 250);
  assert.match(sent.rcpt[1]?.text ?? '', /^452 4\.5\.3 /);
  assert.equal(sent.final[0]?.code, 250);
});
