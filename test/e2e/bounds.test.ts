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
const mostTries = 6;

const fill = (unit: string, bytes: number): string => unit.repeat(Math.floor(bytes / unit.length));
const mixed = (body: string): Buffer =>
  Buffer.from(`${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n${body}\r\n--b--\r\n`, 'latin1');

/** One multipart in the other, and then text that begins like a delimiter of them, line for line. */
function nested(boundaries: readonly string[], line: string): Buffer {
  const heads = boundaries.map((name) => `Content-Type: multipart/mixed; boundary=${name}\r\n\r\n--${name}\r\n`);
  return Buffer.from(`${head}${heads.join('')}\r\n${fill(`--${line}\r\n`, 20 * mebibyte)}`, 'latin1');
}

const levels = Array.from({ length: 18 }, (_, i) => i);

const structures: readonly (readonly [what: string, message: () => Buffer])[] = [
  ['lines of two dashes', () => mixed(`--b\r\n\r\n${fill('--\r\n', 40 * mebibyte)}`)],
  ['lines that begin with the boundary', () => mixed(`--b\r\n\r\n${fill('--bx\r\n', 20 * mebibyte)}`)],
  [
    'lines that nearly begin with boundaries of two families',
    () =>
      nested(
        levels.map((i) => `${'AC'[i % 2]!.repeat(15)}${i + 10}`),
        'A'.repeat(15),
      ),
  ],
  [
    'lines that begin with the first letter of one boundary of many',
    () =>
      nested(
        levels.map((i) => `${String.fromCharCode(65 + i)}xx`),
        'Ry',
      ),
  ],
  [
    'parts with a type of 16 kB each',
    () => mixed(fill(`--b\r\nContent-Type: text/plain; ${'a=b;'.repeat(3900)}\r\n\r\nx\r\n`, 32 * mebibyte)),
  ],
  ['400,000 parts', () => mixed('--b\r\n\r\nx\r\n'.repeat(400_000))],
  [
    'a picture in quoted-printable',
    () =>
      mixed(
        '--b\r\nContent-Type: text/html\r\n\r\n<img src="cid:one@x">\r\n--b\r\nContent-Type: image/png\r\n' +
          'Content-ID: <one@x>\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n' +
          fill(`${'=AB=CD'.repeat(12)}=\r\n`, 4 * mebibyte),
      ),
  ],
  [
    'references in HTML',
    () =>
      mixed(
        '--b\r\nContent-Type: text/html\r\n\r\n' +
          Array.from({ length: 400_000 }, (_, i) => `cid:${i.toString(36)}%41 `).join(''),
      ),
  ],
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
    const plain = file(message.length);
    const tries: string[] = [];
    // Other work on the machine, and code that is compiled for the first time, can only add to a cost.
    for (;;) {
      const innocent = await send(plain);
      const cost = await send(message);
      assert.ok(withoutTrace(sink.messages.at(-1)!.data, message).equals(message), `${what} came out changed`);
      tries.push(`${cost.toFixed(2)} s of CPU, a file ${innocent.toFixed(2)} s`);
      if (cost <= 3 * innocent) break;
      assert.ok(tries.length < mostTries, `${what}:\n${tries.join('\n')}`);
    }
    console.log(`${what}: ${message.length} bytes, ${tries.at(-1)!}, at try ${tries.length}`);
    sink.messages.length = 0;
  }
});

/** Each takes nearly all that a header may have. */
const headers: readonly (readonly [what: string, header: string])[] = [
  ['half a million fields', fill('a:\r\n', 2_084_000)],
  ['long lines', fill(`X-Long: ${'a'.repeat(990)}\r\n`, 2_084_000)],
  ['one field in many lines', `X-Long: ${fill(`a\r\n `, 2_084_000)}\r\n`],
  ['one line', `X-Long: ${'a'.repeat(2_084_000)}\r\n`],
  ['traces of others', fill('Received: from a by b with ESMTP id c; Mon, 6 Jan 2025 10:00:00 +0000\r\n', 2_084_000)],
  ['resent fields', fill('Resent-To: a@x\r\n', 2_084_000)],
  ['stamps of others', fill(`X-Detach-Guard: v=1; c=other; k=k1; t=1; f=mdf; s=${'a'.repeat(11)}; r=b\r\n`, 2_084_000)],
];

for (const [what, header] of headers)
  test(`forty headers of ${what} at once take less than 64 MB`, async (t) => {
    const { detach } = await startBetween(new Scenario(t));
    const message = buildMessage({ from, to });
    const send = async (): Promise<number | undefined> =>
      (await sendMail({ port: detach.port, from, to, message })).final[0]?.code;
    await send();
    const dialogs = await Promise.all(Array.from({ length: 40 }, () => dialogInData(detach.port)));
    detach.resetPeakMemory();
    const { now } = detach.memory();
    const bytes = Buffer.from(header);
    await Promise.all(dialogs.map((dialog) => dialog.write(bytes)));
    assert.equal(await send(), 250, 'beside them');
    await Promise.all(dialogs.map((dialog) => dialog.write('\r\nx\r\n.\r\n')));
    const replies = await Promise.all(dialogs.map((dialog) => dialog.read({ bound: 120_000 })));
    for (const { text } of replies) assert.match(text, /^(250 |452 4\.3\.1 |552 5\.3\.4 |554 5\.4\.6 )/);
    const more = detach.memory().peak - now;
    const codes = new Set(replies.map(({ code }) => code));
    console.log(`forty headers of ${what}: ${Math.round(more / 1e6)} MB more, ${[...codes].join(', ')}`);
    assert.ok(more < 64e6, `${more} bytes more`);
    for (const dialog of dialogs) dialog.abort();
    const alone = await dialogInData(detach.port);
    await alone.write(bytes);
    await alone.write('\r\nx\r\n.\r\n');
    assert.notEqual((await alone.read({ bound: 120_000 })).code, 452, 'the room is free again');
    assert.equal(await send(), 250);
  });

async function dialogInData(port: number): Promise<SmtpDialog> {
  const dialog = await SmtpDialog.open(port);
  await dialog.expect(250, 'EHLO a.example');
  await dialog.expect(250, `MAIL FROM:<${from}>`);
  await dialog.expect(250, `RCPT TO:<${to[0]}>`);
  await dialog.expect(354, 'DATA');
  return dialog;
}
