import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from './build-message.ts';
import { randomBytes } from './random.ts';
import { Scenario } from './scenario.ts';
import { sendMail } from './send-mail.ts';
import { startSink } from './sink.ts';
import { SmtpDialog } from './smtp-dialog.ts';

const from = 'alice@example.com';

test('the sink keeps envelope and message byte for byte', async (t) => {
  const scenario = new Scenario(t);
  const sink = await scenario.use(startSink());
  const attachments = [{ name: 'a.bin', content: randomBytes(300_000) }];
  const message = buildMessage({ from, to: 'bob@example.org', text: '.\n..dots\n.', attachments });
  const to = ['bob@example.org', '"a>b"@example.org'];
  const sent = await sendMail({ port: sink.port, from, to, message, mailParameters: 'RET=HDRS' });
  assert.equal(sent.final[0]?.code, 250);
  const [received] = sink.messages;
  assert.ok(received);
  assert.ok(received.data.equals(message));
  assert.deepEqual(received.to, to);
  assert.equal(received.mailLine, `MAIL FROM:<${from}> RET=HDRS`);
});

test('a message cut into single bytes arrives whole, and the next command is not lost', async (t) => {
  const scenario = new Scenario(t);
  const sink = await scenario.use(startSink());
  const dialog = await scenario.use(SmtpDialog.open(sink.port));
  const script = `EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n..a\r\n\r\n.\r\nNOOP\r\n`;
  for (const byte of script) await dialog.write(byte);
  const codes: number[] = [];
  for (let i = 0; i < 6; i++) codes.push((await dialog.read()).code);
  assert.deepEqual(codes, [250, 250, 250, 354, 250, 250]);
  assert.equal(String(sink.messages[0]?.data), '.a\r\n\r\n');
});

test('an LMTP sink answers for each recipient, and as the script says', async (t) => {
  const scenario = new Scenario(t);
  const answer = ({ stage, recipient }: { stage: string; recipient: string | undefined }) =>
    stage === 'message' && recipient?.startsWith('full') ? '452 4.2.2 mailbox full' : undefined;
  const sink = await scenario.use(startSink({ protocol: 'lmtp', answer }));
  const to = ['bob@example.org', 'full@example.org'];
  const sent = await sendMail({ port: sink.port, protocol: 'lmtp', from, to, message: Buffer.from('\r\nhi\r\n') });
  assert.deepEqual(
    sent.final.map(({ code }) => code),
    [250, 452],
  );
  assert.deepEqual(
    sink.messages.map((message) => message.to),
    [['bob@example.org']],
  );
});

test('the sink closes where it is told to, and comes back on the same port', async (t) => {
  const scenario = new Scenario(t);
  const sink = await scenario.use(startSink({ answer: ({ stage }) => (stage === 'data' ? 'reset' : undefined) }));
  const options = { port: sink.port, from, to: ['bob@example.org'], message: Buffer.from('\r\n') };
  await assert.rejects(sendMail(options), /closed/);
  await sink.down();
  await assert.rejects(sendMail(options), /ECONNREFUSED/);
  sink.answer = () => undefined;
  await sink.up();
  assert.equal((await sendMail(options)).final[0]?.code, 250);
});
