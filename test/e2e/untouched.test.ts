import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startBetween, startChain, withoutTrace } from './chain.ts';

const headerText = 'From: alice@example.com\r\nTo: bob@example.org\r\nDate: Mon, 6 Jan 2025 10:00:00 +0000\r\n';
const wire = (text: string): Buffer => Buffer.from(text, 'latin1');
const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');

/** Messages with nothing to detach, each with the identity that makes a second one of them no copy of the first. */
const messages: readonly (readonly [what: string, message: Buffer])[] = [
  ['8-bit body', wire(`Message-ID: <8bit@x>\r\n${headerText}\r\ncaf\u00e9 \u0080\u00ff\r\n`)],
  ['lines of 998 characters', wire(`Message-ID: <998@x>\r\n${headerText}\r\n${`${'x'.repeat(998)}\r\n`.repeat(50)}`)],
  ['leading dots', wire(`Message-ID: <dots@x>\r\n${headerText}\r\n.\r\n..\r\n...\r\n.a\r\n.\r\n`)],
  ['an empty body', wire(`Message-ID: <empty@x>\r\n${headerText}\r\n`)],
  ['no MIME at all', wire(`Message-ID: <plain@x>\r\n${headerText}\r\nhello\r\n\r\n\r\n`)],
  ['trailing blanks and tabs', wire(`Message-ID: <blank@x>\r\n${headerText}Subject: \r\n\ta \r\n\r\n \t \r\nx \t\r\n`)],
  ['odd header fields', wire(`Message-ID: <odd@x>\r\n${headerText}X-A:\r\nx-c:d\r\nX-D:\r\n\te\r\n\r\nbody\r\n`)],
  [
    'a small attachment',
    wire(
      `Message-ID: <small@x>\r\n${headerText}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\nhi\r\n--b\r\nContent-Disposition: attachment; filename=a\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--b--\r\nepilogue\r\n`,
    ),
  ],
];

test('a message with nothing to detach arrives byte for byte', async (t) => {
  const { a, dovecot } = await startChain(new Scenario(t));
  for (const [what, message] of messages) {
    const sent = await sendMail({ port: a.port, from: 'alice@example.com', to: ['bob@example.org'], message });
    assert.equal(sent.final[0]?.code, 250, what);
  }
  const received = await dovecot.waitForMail('bob@example.org', messages.length);
  for (const [what, message] of messages) {
    const start = message.subarray(0, message.indexOf('\r\n'));
    const copy = received.find((candidate) => candidate.includes(start));
    assert.ok(copy, what);
    assert.equal(withoutTrace(copy, message).toString('latin1'), message.toString('latin1'), what);
  }
});

test('internationalised addresses and headers pass as they are', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  const message = utf8(
    'Message-ID: <utf8@x>\r\nFrom: Jürgen <jürgen@bücher.example>\r\nSubject: Grüße 日本\r\n\r\nÜ\r\n',
  );
  const from = utf8('jürgen@bücher.example').toString('latin1');
  const to = utf8('δοκιμή@παράδειγμα.example').toString('latin1');
  const sent = await sendMail({ port: detach.port, from, to: [to], message, mailParameters: 'SMTPUTF8 BODY=8BITMIME' });
  assert.equal(sent.final[0]?.code, 250);
  const [received] = await sink.waitForMessages(1);
  assert.ok(received);
  assert.ok(sink.lines.includes(`MAIL FROM:<${from}> SMTPUTF8 BODY=8BITMIME`), sink.lines.join('\n'));
  assert.ok(sink.lines.includes(`RCPT TO:<${to}>`));
  assert.deepEqual(withoutTrace(received.data, message), message);
});

test('DSN parameters, quoted local parts and the texts of replies pass as they are', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), {
    sink: {
      answer: (event) => (event.stage === 'rcpt' ? '250-2.1.5 first line\n250 2.1.5 second line' : undefined),
    },
  });
  const sent = await sendMail({
    port: detach.port,
    from: '"a b"@Example.COM',
    to: ['@relay.example:user_x@xn--bcher-kva.example'],
    message: wire('Subject: x\r\n\r\nx\r\n'),
    mailParameters: 'RET=HDRS ENVID=QQ+2B31 SIZE=20',
    rcptParameters: 'NOTIFY=SUCCESS,DELAY ORCPT=rfc822;u+2Bx@example.com',
  });
  assert.deepEqual(sent.rcpt[0]?.lines, ['2.1.5 first line', '2.1.5 second line']);
  assert.ok(sink.lines.includes('MAIL FROM:<"a b"@Example.COM> RET=HDRS ENVID=QQ+2B31'), sink.lines.join('\n'));
  assert.ok(
    sink.lines.includes(
      'RCPT TO:<@relay.example:user_x@xn--bcher-kva.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;u+2Bx@example.com',
    ),
  );
});
