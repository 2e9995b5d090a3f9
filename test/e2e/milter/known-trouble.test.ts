/**
 * What goes wrong in other Milters, with a real Postfix: each message passes untouched when it is small, and with a file
 * in it what was shown comes back byte for byte.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { buildMessage } from '../../harness/build-message.ts';
import { randomBytes } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';
import { sendMail, transact, type SendResult } from '../../harness/send-mail.ts';
import { SmtpDialog } from '../../harness/smtp-dialog.ts';
import { restore } from '../../harness/restore.ts';
import { startMilterChain, type MilterChain } from './milter-chain.ts';

const from = 'alice@example.com';
const to = ['bob@example.org'];
const file = { name: 'plan.pdf', type: 'application/pdf', content: randomBytes(200_000, 'known trouble') };

/** A message as text: its fields, and its body without the last line end. */
const plain = (fields: readonly string[], body: string): Buffer =>
  Buffer.from(`${[`From: ${from}`, ...fields].join('\r\n')}\r\n\r\n${body}`, 'latin1');

const usual = ['To: bob@example.org', 'Message-ID: <a@example.com>', 'Date: Mon, 6 Jan 2025 10:00:00 +0000'];

const odd = {
  'blanks behind the colon and folds': [
    'Subject:   three blanks\r\n\tand a fold\r\n   and three more  ',
    'X-Tab:\ttab',
    'X-None:none',
    'X-Empty:',
  ],
  '8-bit fields': ['Subject: \xfcber', 'X-Utf-8: gr\xc3\xbc\xc3\x9fe'],
  'a field twice, and names in odd case': ['received: from nowhere', 'X-A: 1', 'x-a: 2', 'MIME-version: 1.0'],
} as const;

suite('messages that other Milters break', { concurrency: false }, () => {
  const scenario = new Scenario();
  let chain: MilterChain | undefined;
  const started = async (): Promise<MilterChain> =>
    (chain ??= await startMilterChain(scenario, {
      postfix: { virtual_mailbox_maps: 'static:mailbox', allow_percent_hack: 'no' },
    }));
  let seen = 0;

  /** @returns the message as it is delivered */
  async function deliver(message: Buffer, options: { mailParameters?: string } = {}): Promise<Buffer> {
    const { postfix, sink, detach } = await started();
    const { final } = await sendMail({ port: postfix.port, from, to, message, ...options });
    assert.equal(final[0]?.code, 250, `${final[0]?.text ?? 'no reply'}\n${detach.describe()}`);
    seen += 1;
    return (await sink.waitForMessages(seen))[seen - 1]!.data;
  }

  async function comesBack(message: Buffer, options: { mailParameters?: string } = {}): Promise<Buffer> {
    const delivered = await deliver(message, options);
    const { detach } = await started();
    assert.ok(delivered.length < 20_000, detach.describe());
    const { status, output, errors } = await restore(detach, delivered);
    assert.equal(status, 0, errors);
    assert.equal(output.toString('latin1'), message.toString('latin1'));
    return delivered;
  }

  async function untouched(message: Buffer): Promise<void> {
    const delivered = await deliver(message);
    const at = delivered.indexOf(`From: ${from}`);
    assert.match(delivered.toString('latin1', 0, at), /^X-Detach-Guard: [^]*\r\nReceived: from [^]*\r\n$/);
    assert.equal(delivered.toString('latin1', at), message.toString('latin1'));
  }

  for (const [what, fields] of Object.entries(odd)) {
    test(`${what}, nothing to detach`, () => untouched(plain([...usual, ...fields], 'text\r\n')));
    test(`${what}, with a file`, async () => {
      const headers = fields.filter((line) => !/^mime-version/i.test(line));
      const delivered = await comesBack(withFile({ headers }));
      for (const field of headers) assert.ok(delivered.includes(Buffer.from(`\r\n${field}\r\n`, 'latin1')), field);
    });
  }

  test('no MIME-Version', () => untouched(plain(usual, 'text\r\n')));
  test('no MIME-Version, with a file', async () => {
    await comesBack(Buffer.from(withFile().toString('latin1').replace('MIME-Version: 1.0\r\n', ''), 'latin1'));
  });
  test('no body at all', () => untouched(plain(usual, '')));
  test('a body of one empty line', () => untouched(plain(usual, '\r\n')));
  test('text behind the last delimiter, and a body that ends within a line', async () => {
    const message = Buffer.concat([withFile(), Buffer.from('an epilogue\r\nthat ends here')]);
    const delivered = await deliver(message);
    const { detach } = await started();
    const { status, output } = await restore(detach, delivered);
    assert.equal(status, 0);
    assert.equal(output.toString('latin1'), `${message.toString('latin1')}\r\n`, 'SMTP itself ends the line');
  });
  test('dots at the beginning of lines', () => untouched(plain(usual, '.\r\n..\r\n.text\r\n')));
  test('addresses and names in UTF-8', async () => {
    const { postfix, sink } = await started();
    const message = Buffer.from(
      withFile().toString('latin1').replace('From: ', 'X-Name: \xc3\xa4\r\nFrom: '),
      'latin1',
    );
    const path = Buffer.from('grüße@example.org').toString('latin1');
    const { final, rcpt } = await sendMail({
      port: postfix.port,
      from,
      to: [path],
      message,
      mailParameters: 'SMTPUTF8 BODY=8BITMIME',
    });
    assert.equal(final[0]?.code, 250, rcpt[0]?.text);
    seen += 1;
    const delivered = (await sink.waitForMessages(seen))[seen - 1]!;
    assert.ok(sink.lines.some((line) => line.includes(path)));
    const { detach } = await started();
    assert.equal((await restore(detach, delivered.data)).output.equals(message), true);
  });

  test('a connection used again after RSET in the middle, and after a client that left within a message', async () => {
    const { postfix, sink } = await started();
    const dialog = await SmtpDialog.open(postfix.port);
    await dialog.expect(250, 'EHLO client.example.net');
    for (const left of [['MAIL FROM:<x@example.com>'], ['MAIL FROM:<x@example.com>', `RCPT TO:<${to[0]}>`], []]) {
      for (const command of left) await dialog.expect(250, command);
      await dialog.expect(250, 'RSET');
      const message = withFile();
      const result: SendResult = await transact(dialog, { port: postfix.port, from, to, message });
      assert.equal(result.final[0]?.code, 250);
      seen += 1;
      const delivered = (await sink.waitForMessages(seen))[seen - 1]!.data;
      const { detach } = await started();
      assert.equal((await restore(detach, delivered)).output.equals(message), true);
    }
    await dialog.expect(250, `MAIL FROM:<${from}>`);
    await dialog.expect(250, `RCPT TO:<${to[0]}>`);
    await dialog.expect(354, 'DATA');
    await dialog.write(withFile().subarray(0, 100_000));
    dialog.abort();
    await comesBack(withFile());
    assert.equal(sink.messages.length, seen, 'nothing of the message that was broken off');
  });

  test('a refusal with a percent sign in it arrives as it was written', async () => {
    const { postfix, sink } = await started();
    const message = withFile();
    const recipient = ['100%@example.org'];
    await sendMail({ port: postfix.port, from, to: recipient, message });
    seen += 1;
    const delivered = (await sink.waitForMessages(seen))[seen - 1]!.data;
    const again = await sendMail({ port: postfix.port, from, to: recipient, message: delivered });
    assert.equal(again.final[0]?.text, '554 5.4.6 mail forwarding loop for <100%@example.org>');
  });
});

const withFile = (more: { headers?: readonly string[] } = {}): Buffer => {
  const built = buildMessage({ from, to: 'bob@example.org', text: 'Gr\u00fc\u00dfe\n', attachments: [file] });
  const extra = (more.headers ?? []).map((line) => `${line}\r\n`).join('');
  // The first field is what the delivered message is found by.
  const end = built.indexOf('\r\n') + 2;
  return Buffer.concat([built.subarray(0, end), Buffer.from(extra, 'latin1'), built.subarray(end)]);
};
