/** Slow uploads hold the spool for as long as they take: a client has a share of it, where there are others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64Lines, buildMessage } from '../harness/build-message.ts';
import type { DetachInstance } from '../harness/detach-mta.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { transact, type SendResult } from '../harness/send-mail.ts';
import { SmtpDialog } from '../harness/smtp-dialog.ts';
import { waitFor } from '../harness/wait.ts';
import { startBetween } from './chain.ts';

const envelope = { from: 'a@example.com', to: ['b@example.org'] };
const slow = '127.0.0.3';
const mebibyte = 1024 * 1024;
const spoolBytes = 32 * mebibyte;
const six = 6 * mebibyte;

const mail = (bytes: number): Buffer =>
  buildMessage({ ...envelope, attachments: [{ name: 'a.bin', content: randomBytes(bytes) }] });

async function send(port: number, message: Buffer, from = '127.0.0.1'): Promise<SendResult> {
  const dialog = await SmtpDialog.open(port, { from });
  const sent = await transact(dialog, { port, ...envelope, message });
  await dialog.quit();
  return sent;
}

/** An upload that has sent so many bytes of its file, and then says nothing. */
async function startUpload(port: number, { from, bytes }: { from: string; bytes: number }): Promise<SmtpDialog> {
  const dialog = await SmtpDialog.open(port, { from });
  for (const line of ['EHLO slow.example', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.org>'])
    await dialog.expect(250, line);
  await dialog.expect(354, 'DATA');
  await dialog.write(
    'From: a@example.com\r\nMessage-ID: <x@y>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n' +
      '--b\r\nContent-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n',
  );
  await dialog.write(base64Lines(randomBytes(bytes)));
  return dialog;
}

const held = async (detach: DetachInstance): Promise<number> =>
  Number(/^detach_mta_spool_bytes (\d+)/m.exec((await detach.metrics()).text)?.[1]);

for (const workers of [1, 2])
  test(`one neighbour's slow uploads do not make the mail of another wait, with ${workers} processes`, async (t) => {
    const { detach, sink } = await startBetween(new Scenario(t), {
      detach: {
        workers,
        // A share holds the largest message, so that is not much more than half of this spool.
        inbound: { trustedNetworks: ['127.0.0.0/8'], maxMessageSize: '17MiB' },
        spool: { maxBytes: spoolBytes },
      },
    });
    const five = mail(5 * mebibyte);
    assert.equal((await send(detach.port, five)).final[0]?.code, 250, 'the other is known from here on');
    const uploads = await Promise.all([six, six].map((bytes) => startUpload(detach.port, { from: slow, bytes })));
    await waitFor(async () => (await held(detach)) > 1.5 * six, { what: 'the uploads to hold much of the spool' });
    uploads.push(await startUpload(detach.port, { from: slow, bytes: 12 * mebibyte }));
    for (let i = 0; i < 3; i++) {
      const sent = await send(detach.port, five);
      assert.equal(sent.final[0]?.code, 250, `${sent.final[0]?.text}\n${detach.describe()}`);
    }
    // The third would take more than half of the spool: it is told so at its end, and comes again.
    const texts: string[] = [];
    for (const dialog of uploads) {
      await dialog.write('\r\n--b--\r\n.\r\n');
      texts.push((await dialog.read({ bound: 120_000 })).text);
      await dialog.quit();
    }
    assert.match(texts.join(' | '), /^250 .* \| 250 .* \| 452 4\.3\.1 /);
    assert.equal(
      (await send(detach.port, mail(12 * mebibyte), slow)).final[0]?.code,
      250,
      'alone there is room for it',
    );
    assert.equal(sink.messages.length, 7);
    await waitFor(async () => (await held(detach)) === 0, { what: 'the spool to be empty again' });
  });

test('a site whose mail all comes from one address has the whole spool, also for its slow uploads', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), { detach: { spool: { maxBytes: spoolBytes } } });
  const uploads = await Promise.all(
    Array.from({ length: 3 }, () => startUpload(detach.port, { from: '127.0.0.1', bytes: six })),
  );
  await waitFor(async () => (await held(detach)) > spoolBytes / 2, { what: 'more than half of the spool to be used' });
  assert.equal((await send(detach.port, mail(5 * mebibyte))).final[0]?.code, 250, detach.describe());
  for (const dialog of uploads) {
    await dialog.write('\r\n--b--\r\n.\r\n');
    assert.equal((await dialog.read({ bound: 120_000 })).code, 250);
    await dialog.quit();
  }
  assert.equal(sink.messages.length, 4);
});
