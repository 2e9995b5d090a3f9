import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlobServiceClient } from '@azure/storage-blob';
import { authenticate } from 'mailauth';
import { createTransport } from 'nodemailer';
import { buildMessage } from '../harness/build-message.ts';
import { randomBytes } from '../harness/random.ts';
import { run } from '../harness/process.ts';
import { restore } from '../harness/restore.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startChain } from './chain.ts';

/** What A handed to the filter: the message with the Received field of A on top. */
function asReceivedByFilter(original: Buffer, restored: Buffer): void {
  const at = restored.indexOf(original.subarray(0, original.indexOf('\r\n')));
  assert.ok(at > 0 && restored.subarray(0, 9).toString() === 'Received:', 'the trace field of A comes first');
  assert.equal(restored.subarray(at).equals(original), true, 'byte for byte');
}

const toLf = (message: Buffer): Buffer => Buffer.from(message.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');

test('a message delivered to Dovecot is restored byte for byte, with CRLF or LF', async (t) => {
  const chain = await startChain(new Scenario(t));
  const message = buildMessage({
    from: 'alice@example.com',
    to: 'bob@example.org',
    text: 'Grüße\n-- \nalice\n',
    html: '<html><body><p>Grüße</p></body></html>\n',
    attachments: [
      { name: 'a.pdf', type: 'application/pdf', content: randomBytes(700_000, 'a') },
      { name: 'b.zip', type: 'application/zip', content: randomBytes(300_001, 'b') },
    ],
  });
  await sendMail({ port: chain.a.port, from: 'alice@example.com', to: ['bob@example.org'], message });
  const [delivered] = await chain.dovecot.waitForMail('bob@example.org');
  assert.ok(delivered && delivered.length < 10_000);
  for (const form of [delivered, toLf(delivered)]) {
    const { status, output, errors } = await restore(chain.detach, form);
    assert.equal(status, 0, errors);
    asReceivedByFilter(message, output);
  }
});

test('the original sender’s DKIM signature verifies again after restoring', async (t) => {
  const chain = await startChain(new Scenario(t), { a: { header_size_limit: 200_000 } });
  const privateKey = await run('openssl', ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']);
  const publicKey = await run('openssl', ['pkey', '-pubout'], { input: privateKey });
  const transport = createTransport({
    host: '127.0.0.1',
    port: chain.a.port,
    ignoreTLS: true,
    dkim: { domainName: 'example.com', keySelector: 's1', privateKey },
  });
  await transport.sendMail({
    from: 'alice@example.com',
    to: 'bob@example.org',
    subject: 'signed',
    text: 'signed by alice',
    attachments: [{ filename: 'a.pdf', content: randomBytes(500_000) }],
  });
  const [delivered] = await chain.dovecot.waitForMail('bob@example.org');
  assert.ok(delivered);
  const resolver = (name: string): Promise<string[][]> => {
    if (name !== 's1._domainkey.example.com')
      return Promise.reject(Object.assign(new Error(name), { code: 'ENOTFOUND' }));
    return Promise.resolve([[`v=DKIM1; k=rsa; p=${publicKey.replace(/-----[^-]+-----|\s/g, '')}`]]);
  };
  const verdict = async (mail: Buffer): Promise<string | undefined> => {
    const { dkim } = await authenticate(mail, { trustReceived: false, mta: 'test', resolver });
    return dkim.results[0]?.status.result;
  };
  assert.notEqual(await verdict(delivered), 'pass', 'the body was changed');
  const { status, output, errors } = await restore(chain.detach, delivered);
  assert.equal(status, 0, errors);
  assert.equal(await verdict(output), 'pass');
});

test('what cannot be restored is told apart, and nothing is written', async (t) => {
  const chain = await startChain(new Scenario(t));
  const message = buildMessage({
    from: 'alice@example.com',
    to: 'bob@example.org',
    attachments: [{ name: 'a.bin', content: randomBytes(200_000) }],
  });
  await sendMail({ port: chain.a.port, from: 'alice@example.com', to: ['bob@example.org'], message });
  const [delivered] = await chain.dovecot.waitForMail('bob@example.org');
  assert.ok(delivered);
  const expectFailure = async (mail: Buffer, expected: number, words: RegExp): Promise<void> => {
    const { status, output, errors } = await restore(chain.detach, mail);
    assert.equal(status, expected, errors);
    assert.equal(output.length, 0);
    assert.match(errors, /^detach-mta restore: [^\n]+\n$/, 'one line');
    assert.match(errors, words);
  };
  const edited = Buffer.from(delivered.toString('latin1').replace('Hello.', 'Hallo.'), 'latin1');
  await expectFailure(edited, 65, /chang/);
  await expectFailure(message, 65, /not/);
  const files = BlobServiceClient.fromConnectionString(chain.azurite.connectionString).getContainerClient('detach');
  for await (const blob of files.listBlobsFlat({ prefix: 'files/' })) await files.deleteBlob(blob.name);
  await expectFailure(delivered, 66, /gone|missing|no longer/);
  await chain.azurite.down();
  await expectFailure(delivered, 69, /storage/);
});
