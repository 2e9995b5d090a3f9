import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail, transact } from '../harness/send-mail.ts';
import { SmtpDialog } from '../harness/smtp-dialog.ts';
import { startBetween, withoutTrace } from './chain.ts';

const from = 'a@example.com';
const to = ['b@x.example'];
const headerText = `From: ${from}\r\nTo: b@x.example\r\nSubject: x\r\nMessage-ID: <x@y>\r\nDate: Mon, 6 Jan 2025 10:00:00 +0000\r\n`;
const memoryLimit = 320 * 1024 * 1024;

/** Line ends that one server or another has taken for the end of a message. */
const smuggling = [
  'a\n.\n',
  'a\n.\r\n',
  'a\r\n.\n',
  'a\r.\r\n',
  'a\r.\r',
  'a\r\n.\r',
  '\n.\r\n',
  'a\r\n\n.\n\r\n',
  'a\nb',
  // A server that deletes NULs would find the end here.
  'a\r\n\0.\r\n',
  'a\r\n.\0\r\n',
  'a\r\n.\r\0\n',
];

test('what we pass on can never be read as two messages', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  const dialog = await SmtpDialog.open(detach.port);
  for (const trick of smuggling) {
    await dialog.expect(250, 'EHLO a.example');
    await dialog.expect(250, `MAIL FROM:<${from}>`);
    await dialog.expect(250, `RCPT TO:<${to[0]}>`);
    await dialog.expect(354, 'DATA');
    await dialog.write(
      `${headerText}\r\n${trick}MAIL FROM:<evil@x.example>\r\nRCPT TO:<victim@x.example>\r\nDATA\r\nFrom: boss\r\n\r\npay\r\n.\r\n`,
    );
    assert.match((await dialog.read()).text, /^550 5\.5\.2 /, JSON.stringify(trick));
  }
  await dialog.quit();
  assert.equal(sink.messages.length, 0);
  assert.ok(sink.lines.every((line) => !line.includes('evil') && !line.includes('victim')));
});

test('bare CRs that are no line ends, NUL bytes within a line and dots pass as they are', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  const message = Buffer.from(`${headerText}\r\na\rb\r\r\nb\0\0c\r\n.x\r\n..\r\n\r\n.\r\nend\r\n`, 'latin1');
  const sent = await sendMail({ port: detach.port, from, to, message });
  assert.equal(sent.final[0]?.code, 250);
  assert.deepEqual(withoutTrace(sink.messages[0]!.data, message), message);
});

/** Tops that no mail program writes, and what must separate them from our fields. */
const tops: readonly (readonly [top: string, boundary: string])[] = [
  [' folded first\r\nSubject: x\r\n\r\nbody\r\n', '\r\n'],
  ['\tx\r\n', '\r\n'],
  ['From a@b Mon Jan  6 10:00:00 2025\r\nSubject: x\r\n\r\nbody\r\n', 'X-Mailbox-Line: '],
  ['Subject: no body\r\n', ''],
  ['\r\nno header\r\n', ''],
  ['just text\r\n', ''],
  ['\r\n', ''],
];

test('our fields on top stay whole and swallow nothing, however the message begins', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  for (const [top, boundary] of tops) {
    const sent = await sendMail({ port: detach.port, from, to, message: Buffer.from(top) });
    assert.equal(sent.final[0]?.code, 250);
    const received = sink.messages.at(-1)?.data.toString('latin1') ?? '';
    const [trace = ''] = /^Received:(?:.*\r\n[ \t])*.*\r\nX-Detach-Guard:.*?; m=[\w-]{11}\r\n/s.exec(received) ?? [];
    assert.equal(received.slice(trace.length), boundary + top);
  }
});

const nested = (depth: number): string => {
  let text = '';
  for (let i = 0; i < depth; i += 1) text += `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`;
  return text;
};
const attachment = `Content-Disposition: attachment; filename=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n${`${'QUJD'.repeat(19)}\r\n`.repeat(20_000)}`;

/** Mail as nobody writes it. All of it must come out as it went in, or be refused with a clear reply. */
const monsters: readonly (readonly [what: string, message: () => Buffer])[] = [
  ['100,000 header lines', () => Buffer.from(`${headerText}${'X-A: b\r\n'.repeat(100_000)}\r\nx\r\n`)],
  ['a header field of 900,000 bytes', () => Buffer.from(`${headerText}X-A: ${'b\r\n '.repeat(225_000)}\r\n\r\nx\r\n`)],
  [
    '10,000 parts',
    () =>
      Buffer.from(
        `${headerText}Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\npart\r\n'.repeat(10_000)}${'x'.repeat(2_000_000)}\r\n--b--\r\n`,
      ),
  ],
  ['nesting of 1,000', () => Buffer.from(`${headerText}${nested(1000)}${attachment}`)],
  [
    'a boundary that never closes',
    () =>
      Buffer.from(
        `${headerText}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n${'--bx\r\n'.repeat(300_000)}`,
      ),
  ],
  [
    'a line of 40 MB',
    () =>
      Buffer.from(
        `${headerText}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n${'x'.repeat(40_000_000)}\r\n--b--\r\n`,
      ),
  ],
  [
    'NUL bytes for a body',
    () => Buffer.concat([Buffer.from(`${headerText}\r\n`), Buffer.alloc(5_000_000), Buffer.from('\r\n')]),
  ],
  [
    'an empty boundary',
    () => Buffer.from(`${headerText}Content-Type: multipart/mixed; boundary=""\r\n\r\n${'--\r\n'.repeat(500_000)}`),
  ],
];

test('monsters: unchanged or refused in clear words, in bounded memory, and the service goes on', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), { detach: { inbound: { maxMessageSize: '60MB' } } });
  for (const [what, build] of monsters) {
    const message = build();
    const before = sink.messages.length;
    const sent = await sendMail({ port: detach.port, from, to, message });
    const reply = sent.final[0];
    assert.ok(reply, what);
    if (reply.code === 250) {
      const received = sink.messages[before]!.data;
      assert.ok(withoutTrace(received, message).equals(message), `${what} came out changed`);
    } else assert.match(reply.text, /^55\d 5\.\d\.\d /, what);
  }
  const after = await sendMail({ port: detach.port, from, to, message: buildMessage({ from, to }) });
  assert.equal(after.final[0]?.code, 250);
  const peak = detach.memory().peak;
  assert.ok(peak < memoryLimit, `peak memory ${peak}`);
});

test('a line of 100 MB over the limit is refused at its end, in bounded memory', async (t) => {
  const { detach } = await startBetween(new Scenario(t));
  const dialog = await SmtpDialog.open(detach.port);
  await dialog.expect(250, 'EHLO a.example');
  await dialog.expect(250, `MAIL FROM:<${from}>`);
  await dialog.expect(250, `RCPT TO:<${to[0]}>`);
  await dialog.expect(354, 'DATA');
  const block = Buffer.alloc(1_000_000, 'x');
  for (let i = 0; i < 100; i += 1) await dialog.write(block);
  await dialog.write('\r\n.\r\n');
  assert.match((await dialog.read()).text, /^552 5\.3\.4 /);
  await dialog.quit();
  assert.ok(detach.memory().peak < memoryLimit);
});

test('commands after DATA without pause are answered in order', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  const dialog = await SmtpDialog.open(detach.port);
  const one = `MAIL FROM:<${from}>\r\nRCPT TO:<${to[0]}>\r\nDATA\r\n${headerText}\r\nhello\r\n.\r\n`;
  await dialog.write(`EHLO a.example\r\n${one.repeat(20)}QUIT\r\n`);
  const codes = (await dialog.waitForClose())
    .split('\r\n')
    .filter((line) => /^\d{3} /.test(line))
    .map((line) => line.slice(0, 3));
  assert.deepEqual(codes, ['250', ...Array.from({ length: 20 }, () => ['250', '250', '354', '250']).flat(), '221']);
  assert.equal(sink.messages.length, 20);
});

test('slow, half-finished and rude clients do not hinder the others', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  const rude = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const dialog = await SmtpDialog.open(detach.port);
      await dialog.expect(250, 'EHLO a.example');
      if (i % 4 === 0) return dialog;
      await dialog.expect(250, `MAIL FROM:<${from}>`);
      await dialog.expect(250, `RCPT TO:<${to[0]}>`);
      await dialog.expect(354, 'DATA');
      await dialog.write(headerText.slice(0, 10 + i));
      return dialog;
    }),
  );
  const drip = setInterval(() => {
    for (const dialog of rude) void dialog.write('x').catch(() => undefined);
  }, 1000);
  t.after(() => clearInterval(drip));
  const message = buildMessage({ from, to, attachments: [{ name: 'a.bin', content: randomBytes(1_500_000) }] });
  const sent = await Promise.all(Array.from({ length: 5 }, () => sendMail({ port: detach.port, from, to, message })));
  assert.ok(sent.every((result) => result.final[0]?.code === 250));
  for (const dialog of rude) dialog.abort();
  assert.equal(sink.messages.length, 5);
});

test('a client outside the trusted networks gets a clear refusal and nothing else', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), {
    detach: { inbound: { trustedNetworks: ['192.0.2.0/24'] } },
  });
  const dialog = await SmtpDialog.connect(detach.port);
  assert.match(await dialog.waitForClose(), /^554 5\.7\.1 access denied[^\r\n]*\r\n$/);
  assert.equal(sink.sessions, 0);
});

test('junk instead of commands is answered and then cut off', async (t) => {
  const { detach } = await startBetween(new Scenario(t));
  const dialog = await SmtpDialog.open(detach.port);
  await dialog.write(`${'A'.repeat(100_000)}\r\n`);
  assert.match(await dialog.waitForClose(), /^421 /);
  const other = await SmtpDialog.open(detach.port);
  const sent = await transact(other, { port: detach.port, from, to, message: buildMessage({ from, to }) });
  assert.equal(sent.final[0]?.code, 250);
  await other.quit();
});

test('1,200 recipients: the first thousand now, the rest in the next transaction, in linear time', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  const many = Array.from({ length: 1200 }, (_, i) => `r${i}@x.example`);
  const message = buildMessage({ from, to: 'undisclosed-recipients:;' });
  const sent = await sendMail({ port: detach.port, from, to: many, message });
  assert.equal(sent.rcpt.filter((reply) => reply.code === 250).length, 1000);
  assert.match(sent.rcpt.at(-1)?.text ?? '', /^452 4\.5\.3 /);
  assert.equal(sent.final[0]?.code, 250);
  assert.equal(sink.messages[0]?.to.length, 1000);
  const header = sink.messages[0].data.toString('latin1').split('\r\n\r\n')[0] ?? '';
  assert.ok(header.split('\r\n').every((line) => line.length <= 998));
});
