import assert from 'node:assert/strict';
import { mkdirSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildMessage } from '../../harness/build-message.ts';
import { randomBytes, sha256 } from '../../harness/random.ts';
import { restore } from '../../harness/restore.ts';
import { Scenario } from '../../harness/scenario.ts';
import { sendMail } from '../../harness/send-mail.ts';
import { SmtpDialog } from '../../harness/smtp-dialog.ts';
import { linkIn } from '../chain.ts';
import { startMilterChain } from './milter-chain.ts';

const file = randomBytes(700_001, 'a file for the Milter');

const letter = (to: string, more: Partial<Parameters<typeof buildMessage>[0]> = {}): Buffer =>
  buildMessage({
    from: 'alice@example.com',
    to,
    text: 'Grüße\n-- \nalice\n',
    html: '<html><body><p>Grüße</p></body></html>\n',
    headers: ['Subject-Folded:   three blanks\r\n\tand a fold', 'X-Eight: \xe9'],
    attachments: [{ name: 'plan.pdf', type: 'application/pdf', content: file }],
    ...more,
  });

/** What Postfix showed the Milter: the message as sent, without Postfix's own Received field. */
const sent = { from: 'alice@example.com', to: ['bob@example.org'] };

test('a file becomes a link, the message comes back byte for byte, and what has no file is not touched', async (t) => {
  const { postfix, detach, sink } = await startMilterChain(new Scenario(t));
  const message = letter('bob@example.org');
  const { final } = await sendMail({ ...sent, port: postfix.port, message });
  assert.equal(final[0]?.code, 250, detach.describe());
  const [delivered] = await sink.waitForMessages(1);
  assert.ok(delivered && delivered.data.length < 10_000, detach.describe());
  const download = await fetch(`${linkIn(delivered.data)}/file`);
  assert.equal(sha256(Buffer.from(await download.arrayBuffer())), sha256(file));
  const { status, output, errors } = await restore(detach, delivered.data);
  assert.equal(status, 0, errors);
  assert.equal(output.equals(message), true, 'what the Milter was shown');

  const small = buildMessage({ from: 'alice@example.com', to: 'bob@example.org', text: 'no file\n' });
  await sendMail({ ...sent, port: postfix.port, message: small });
  const [, untouched] = await sink.waitForMessages(2);
  assert.equal(untouched!.data.subarray(untouched!.data.indexOf('From: alice')).equals(small), true);
  const closing = await detach.waitForEvent('transaction', (event) => event['outcome'] === 'delivered');
  assert.match(String(closing['queueId']), /^[A-Za-z0-9]+$/);
  assert.equal(closing['from'], '<alice@example.com>');
});

test('a message that is itself one file', async (t) => {
  const { postfix, detach, sink } = await startMilterChain(new Scenario(t));
  const lines = file.toString('base64').replace(/.{76}/g, '$&\r\n');
  const message = Buffer.from(
    [
      'From: alice@example.com',
      'Content-Type: application/pdf; name="scan.pdf"',
      'To: bob@example.org',
      'Content-Disposition: attachment;\r\n filename="scan.pdf"',
      'Content-Transfer-Encoding: base64',
      'Message-ID: <one@example.com>',
      'Date: Mon, 6 Jan 2025 10:00:00 +0000',
      'MIME-Version: 1.0',
      '',
      `${lines}\r\n`,
    ].join('\r\n'),
  );
  assert.equal((await sendMail({ ...sent, port: postfix.port, message })).final[0]?.code, 250);
  const [delivered] = await sink.waitForMessages(1);
  const text = delivered!.data.toString('latin1');
  assert.doesNotMatch(text, /application\/pdf;/);
  assert.equal(text.match(/^content-type:/gim)?.length, 1, text);
  const { status, output, errors } = await restore(detach, delivered!.data);
  assert.equal(status, 0, errors);
  assert.equal(output.equals(message), true);
});

test('on a UNIX socket below the queue directory, for several messages on one connection and after RSET', async (t) => {
  const scenario = new Scenario(t);
  const folder = scenario.directory('socket');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  const path = join(folder, 'milter.sock');
  const { postfix, detach, sink } = await startMilterChain(scenario, {
    detach: { inbound: { protocol: 'milter', address: `unix:${path}`, socketMode: '0666' } },
    milter: `unix:${path}`,
  });
  for (let i = 1; i <= 3; i++) {
    await sendMail({ ...sent, port: postfix.port, message: letter('bob@example.org'), before: ['RSET'] });
    const messages = await sink.waitForMessages(i);
    assert.ok(messages[i - 1]!.data.length < 10_000, detach.describe());
  }
});

test('Detach MTA down, or its storage: the client is told 4xx, nothing is queued, nothing is lost', async (t) => {
  const { postfix, detach, sink, azurite } = await startMilterChain(new Scenario(t));
  await azurite.down();
  const message = letter('bob@example.org');
  const deferred = await sendMail({ ...sent, port: postfix.port, message });
  assert.equal(deferred.final[0]?.code, 451);
  assert.match(deferred.final[0].lines.join(), /4\.3\.0 file storage is not available/);
  await azurite.up();
  await detach.kill('SIGKILL');
  const refused = await sendMail({ ...sent, port: postfix.port, message });
  const last = refused.final[0] ?? refused.data ?? refused.mail;
  assert.equal(Math.trunc(last.code / 100), 4);
  assert.equal((await postfix.queue()).length, 0);
  await detach.start();
  assert.equal((await sendMail({ ...sent, port: postfix.port, message })).final[0]?.code, 250);
  const [delivered] = await sink.waitForMessages(1);
  assert.ok(delivered!.data.length < 10_000);
  assert.equal(sink.messages.length, 1);
});

test('thousands of fields, hundreds of recipients, and commands that lead nowhere: none is too many for one session', async (t) => {
  const { postfix, detach } = await startMilterChain(new Scenario(t));
  const dialog = await SmtpDialog.open(postfix.port);
  await dialog.expect(250, 'EHLO a.example');
  for (let round = 0; round < 2; round += 1) {
    await dialog.expect(250, 'MAIL FROM:<alice@example.com>');
    for (let i = 0; i < 600; i += 1) await dialog.expect(250, 'RCPT TO:<bob@example.org>');
    await dialog.expect(354, 'DATA');
    await dialog.write(`From: alice@example.com\r\n${'X-Field: value\r\n'.repeat(4000)}\r\nhello\r\n`);
    await dialog.expect(250, '.');
    // As many as Postfix allows between two messages, near enough.
    for (let i = 0; i < 30; i += 1) {
      await dialog.expect(250, 'MAIL FROM:<alice@example.com>');
      await dialog.expect(250, 'RCPT TO:<bob@example.org>');
      await dialog.expect(250, 'RSET');
    }
  }
  await dialog.quit();
  assert.ok(!detach.events.some(({ event }) => event === 'milter-error'), detach.describe());
});
