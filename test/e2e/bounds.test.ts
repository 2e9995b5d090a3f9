/** Messages made to cost the service more than their bytes, sent to the running service as a stranger would. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { SmtpDialog } from '../harness/smtp-dialog.ts';
import { startBetween, withoutTrace } from './chain.ts';

const from = 'a@example.com';
const to = ['b@x.example'];
const head = `From: ${from}\r\nTo: b@x.example\r\nSubject: x\r\nMessage-ID: <x@y>\r\nDate: Mon, 6 Jan 2025 10:00:00 +0000\r\n`;
const mebibyte = 1024 * 1024;

const fill = (unit: string, bytes: number): string => unit.repeat(Math.floor(bytes / unit.length));
const mixed = (body: string): Buffer =>
  Buffer.from(`${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n${body}\r\n--b--\r\n`, 'latin1');

const structures: readonly (readonly [what: string, message: () => Buffer])[] = [
  ['lines of two dashes', () => mixed(`--b\r\n\r\n${fill('--\r\n', 40 * mebibyte)}`)],
  ['lines that begin with the boundary', () => mixed(`--b\r\n\r\n${fill('--bx\r\n', 20 * mebibyte)}`)],
  [
    'parts with a type of 16 kB each',
    () => mixed(fill(`--b\r\nContent-Type: text/plain; ${'a=b;'.repeat(3900)}\r\n\r\nx\r\n`, 32 * mebibyte)),
  ],
  ['400,000 parts', () => mixed('--b\r\n\r\nx\r\n'.repeat(400_000))],
  [
    'a type of 1.9 MB',
    () =>
      Buffer.from(`${head}Content-Type: text/plain; ${'('.repeat(1_900_000)}\r\n\r\n${fill('text\r\n', 4 * mebibyte)}`),
  ],
];

test('no message costs more than three times one of its size with a file', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), { detach: { inbound: { maxMessageSize: '60MB' } } });
  const send = async (message: Buffer): Promise<number> => {
    const before = detach.cpuSeconds();
    const sent = await sendMail({ port: detach.port, from, to, message });
    assert.equal(sent.final[0]?.code, 250);
    return detach.cpuSeconds() - before;
  };
  const file = (bytes: number): Buffer =>
    buildMessage({ from, to, attachments: [{ name: 'a.bin', content: randomBytes(Math.floor(bytes / 1.37)) }] });
  await send(file(4 * mebibyte));
  for (const [what, build] of structures) {
    const message = build();
    const plain = await send(file(message.length));
    const cost = await send(message);
    console.log(`${what}: ${message.length} bytes, ${cost.toFixed(2)} s of CPU, a file ${plain.toFixed(2)} s`);
    assert.ok(withoutTrace(sink.messages.at(-1)!.data, message).equals(message), `${what} came out changed`);
    assert.ok(cost <= 3 * plain + 0.2, `${what}: ${cost} s of CPU, a file ${plain} s`);
  }
});

test('forty headers of half a million fields at once take less than 64 MB', async (t) => {
  const { detach } = await startBetween(new Scenario(t));
  const message = buildMessage({ from, to });
  await sendMail({ port: detach.port, from, to, message });
  const dialogs = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const dialog = await SmtpDialog.open(detach.port);
      await dialog.expect(250, 'EHLO a.example');
      await dialog.expect(250, `MAIL FROM:<${from}>`);
      await dialog.expect(250, `RCPT TO:<${to[0]}>`);
      await dialog.expect(354, 'DATA');
      return dialog;
    }),
  );
  detach.resetPeakMemory();
  const { now } = detach.memory();
  const fields = Buffer.from(fill('a:\r\n', 2_084_000));
  await Promise.all(dialogs.map((dialog) => dialog.write(fields)));
  await Promise.all(dialogs.map((dialog) => dialog.write('\r\nx\r\n.\r\n')));
  for (const dialog of dialogs) assert.match((await dialog.read()).text, /^552 5\.3\.4 /);
  const more = detach.memory().peak - now;
  console.log(`forty headers: ${Math.round(more / 1e6)} MB more`);
  assert.ok(more < 64e6, `${more} bytes more`);
  assert.equal((await sendMail({ port: detach.port, from, to, message })).final[0]?.code, 250);
  for (const dialog of dialogs) dialog.abort();
});
