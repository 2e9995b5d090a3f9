import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail, transact } from '../harness/send-mail.ts';
import type { SinkAnswer, SinkEvent } from '../harness/sink.ts';
import { SmtpDialog } from '../harness/smtp-dialog.ts';
import { startBetween, startChain } from './chain.ts';

const from = 'a@example.com';
const to = ['b@x.example'];
const small = buildMessage({ from, to });
const large = buildMessage({ from, to, attachments: [{ name: 'a.bin', content: randomBytes(2_000_000) }] });

/** What the next hop does, and what the client must hear of it. */
const verdicts: readonly (readonly [what: string, answer: (event: SinkEvent) => SinkAnswer, reply: RegExp])[] = [
  ['refuses MAIL', ({ stage }) => (stage === 'mail' ? '550 5.7.1 not you' : undefined), /^mail 550 5\.7\.1 not you$/],
  ['defers MAIL', ({ stage }) => (stage === 'mail' ? '450 4.7.1 later' : undefined), /^mail 450 4\.7\.1 later$/],
  ['refuses RCPT', ({ stage }) => (stage === 'rcpt' ? '550 5.1.1 who?' : undefined), /^rcpt 550 5\.1\.1 who\?$/],
  ['refuses DATA', ({ stage }) => (stage === 'data' ? '554 5.5.1 no' : undefined), /^final 554 5\.5\.1 no$/],
  ['says 250 to DATA', ({ stage }) => (stage === 'data' ? '250 2.0.0 fine' : undefined), /^final 451 4\.5\.0 /],
  [
    'defers after the dot',
    ({ stage }) => (stage === 'message' ? '451 4.3.0 disk' : undefined),
    /^final 451 4\.3\.0 disk$/,
  ],
  [
    'refuses after the dot',
    ({ stage }) => (stage === 'message' ? '554-5.7.1 spam\n554 5.7.1 really' : undefined),
    /^final 554-5\.7\.1 spam\n554 5\.7\.1 really$/,
  ],
  ['closes after the dot', ({ stage }) => (stage === 'message' ? 'close' : undefined), /^final 451 4\.4\.2 /],
  ['closes at each DATA', ({ stage }) => (stage === 'data' ? 'close' : undefined), /^final 451 4\.4\.2 /],
  ['closes at each MAIL', ({ stage }) => (stage === 'mail' ? 'close' : undefined), /^mail 451 4\.4\.2 /],
  ['greets with 554', ({ stage }) => (stage === 'greeting' ? '554 5.3.2 go away' : undefined), /^mail 451 4\.4\.1 /],
  ['closes at once', ({ stage }) => (stage === 'greeting' ? 'close' : undefined), /^mail 451 4\.4\.1 /],
  ['talks nonsense', ({ stage }) => (stage === 'rcpt' ? 'what is this' : undefined), /^rcpt 451 4\.5\.0 /],
];

for (const [what, answer, expected] of verdicts) {
  test(`the next hop ${what}: the client hears exactly that`, async (t) => {
    const { detach, sink } = await startBetween(new Scenario(t), { sink: { answer } });
    const sent = await sendMail({ port: detach.port, from, to, message: small });
    const heard =
      sent.mail.code !== 250
        ? `mail ${sent.mail.text}`
        : sent.rcpt[0]?.code !== 250
          ? `rcpt ${sent.rcpt[0]?.text}`
          : `final ${sent.final[0]?.text}`;
    assert.match(heard, expected);
    assert.equal(sink.messages.length, 0);
    sink.answer = () => undefined;
    const after = await sendMail({ port: detach.port, from, to, message: small });
    assert.equal(after.final[0]?.code, 250, 'the service goes on');
  });
}

test('a session that died while idle is replaced unnoticed', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  await sendMail({ port: detach.port, from, to, message: small });
  sink.dropSessions();
  const sent = await sendMail({ port: detach.port, from, to, message: small });
  assert.equal(sent.final[0]?.code, 250);
  assert.equal(sink.messages.length, 2);
});

test('a session that answers 421 to MAIL after being idle is replaced unnoticed', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  await sendMail({ port: detach.port, from, to, message: small });
  sink.answer = ({ stage, session }) => (stage === 'mail' && session === 1 ? '421 4.4.2 timeout' : undefined);
  const sent = await sendMail({ port: detach.port, from, to, message: small });
  assert.equal(sent.final[0]?.code, 250);
});

test('the next hop closes while a file is still arriving: a new session says the same, and nobody notices', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  const dialog = await SmtpDialog.open(detach.port);
  await dialog.expect(250, 'EHLO a.example');
  await dialog.expect(250, `MAIL FROM:<${from}>`);
  await dialog.expect(250, 'RCPT TO:<b@x.example>');
  await dialog.expect(250, 'RCPT TO:<c@x.example>');
  await dialog.expect(354, 'DATA');
  await dialog.write(large.subarray(0, 1_000_000));
  sink.dropSessions();
  await dialog.write(large.subarray(1_000_000));
  await dialog.write('.\r\n');
  assert.equal((await dialog.read()).code, 250);
  await dialog.quit();
  assert.equal(sink.messages.length, 1);
  assert.deepEqual(sink.messages[0]?.to, ['b@x.example', 'c@x.example']);
});

test('the replacement answers a recipient differently: 451 for all, and the message is not sent', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  const dialog = await SmtpDialog.open(detach.port);
  await dialog.expect(250, 'EHLO a.example');
  await dialog.expect(250, `MAIL FROM:<${from}>`);
  await dialog.expect(250, 'RCPT TO:<b@x.example>');
  await dialog.expect(354, 'DATA');
  sink.dropSessions();
  sink.answer = ({ stage }) => (stage === 'rcpt' ? '550 5.1.1 gone' : undefined);
  await dialog.write(small);
  await dialog.write('.\r\n');
  assert.match((await dialog.read()).text, /^451 4\.4\.2 /);
  await dialog.quit();
  assert.equal(sink.messages.length, 0);
});

test('the next hop lacks what a message needs: 451, so that Postfix neither bounces nor converts it', async (t) => {
  const { detach } = await startBetween(new Scenario(t), { sink: { extensions: ['PIPELINING'] } });
  const options = { port: detach.port, from, to, message: small };
  assert.match((await sendMail({ ...options, mailParameters: 'SMTPUTF8' })).mail.text, /^451 4\.5\.3 /);
  assert.match((await sendMail({ ...options, mailParameters: 'BODY=8BITMIME' })).mail.text, /^451 4\.5\.3 /);
  assert.match((await sendMail({ ...options, rcptParameters: 'NOTIFY=NEVER' })).rcpt[0]?.text ?? '', /^451 4\.5\.3 /);
  const plain = await sendMail(options);
  assert.equal(plain.final[0]?.code, 250);
  assert.ok(!plain.ehlo.lines.includes('SMTPUTF8'), 'what the next hop was seen to lack is offered no more');
});

test('the result is too large for the next hop: 552, and no SIZE was said', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t), { sink: { extensions: ['SIZE 100000', '8BITMIME'] } });
  const big = buildMessage({ from, to, text: `${'x'.repeat(70)}\n`.repeat(3000) });
  const refused = await sendMail({ port: detach.port, from, to, message: big });
  assert.match(refused.final[0]?.text ?? '', /^552 5\.3\.4 /);
  const shrunk = await sendMail({
    port: detach.port,
    from,
    to,
    message: large,
    mailParameters: `SIZE=${large.length}`,
  });
  assert.equal(shrunk.final[0]?.code, 250, 'a large message that shrinks goes through');
  assert.ok(sink.lines.every((line) => !line.includes('SIZE=')));
});

test('two messages over one client session use one session with the next hop', async (t) => {
  const { detach, sink } = await startBetween(new Scenario(t));
  const dialog = await SmtpDialog.open(detach.port);
  for (let i = 0; i < 3; i += 1) {
    const sent = await transact(dialog, { port: detach.port, from, to, message: small });
    assert.equal(sent.final[0]?.code, 250);
  }
  await dialog.quit();
  assert.equal(sink.sessions, 1);
});

test('B down: A defers at MAIL, nothing is uploaded; after recovery the message arrives', async (t) => {
  const { a, b, detach, dovecot } = await startChain(new Scenario(t));
  await b.halt();
  const message = buildMessage({
    from: 'alice@example.com',
    to: 'bob@example.org',
    attachments: [{ name: 'a.bin', content: randomBytes(2_000_000) }],
  });
  await sendMail({ port: a.port, from: 'alice@example.com', to: ['bob@example.org'], message });
  await a.waitForLog(/status=deferred .*451 4\.4\.1/);
  assert.equal(detach.events.filter((line) => line['files'] !== undefined).length, 0);
  await b.start();
  await a.flush();
  await dovecot.waitForMail('bob@example.org');
  await a.waitForEmptyQueue();
  assert.equal(dovecot.count('bob@example.org'), 1);
});
