import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { startAzurite } from '../harness/azurite.ts';
import { base64Lines } from '../harness/build-message.ts';
import { startDetach } from '../harness/detach-mta.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { startSink } from '../harness/sink.ts';
import { SmtpDialog } from '../harness/smtp-dialog.ts';
import { linkIn } from './chain.ts';

const mib = 1024 * 1024;
/** A multiple of 57, so that each block is whole base64 lines. */
const blockBytes = 57 * 16 * 1024;

/** Sends a message with a file of `blocks` equal blocks, made as it is sent. @returns the file's SHA-256 */
async function sendFile(
  port: number,
  { id, blocks, size }: { id: string; blocks: number; size: number },
): Promise<string> {
  const block = randomBytes(size, id);
  const encoded = base64Lines(block);
  const hash = createHash('sha256');
  const dialog = await SmtpDialog.open(port);
  await dialog.expect(250, 'EHLO a.example');
  await dialog.expect(250, 'MAIL FROM:<a@example.com>');
  await dialog.expect(250, 'RCPT TO:<b@example.org>');
  await dialog.expect(354, 'DATA');
  await dialog.write(
    `From: a@example.com\r\nMessage-ID: <${id}@example.com>\r\nDate: Mon, 6 Jan 2025 10:00:00 +0000\r\nMIME-Version: 1.0\r\n` +
      'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\nContent-Type: application/zip\r\n' +
      'Content-Disposition: attachment; filename=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n',
  );
  for (let i = 0; i < blocks; i += 1) {
    hash.update(block);
    await dialog.write(encoded);
    await dialog.write('\r\n');
  }
  await dialog.write('--b--\r\n.\r\n');
  const reply = await dialog.read({ bound: 600_000 });
  assert.equal(reply.code, 250, reply.text);
  await dialog.quit();
  return hash.digest('hex');
}

async function sha256Of(url: string): Promise<string> {
  const hash = createHash('sha256');
  const response = await fetch(url);
  for await (const chunk of response.body ?? []) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

test('1 GB costs no more memory than 1 MB, and comes back whole', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite());
  const sink = await scenario.use(startSink());
  const options = {
    nextHop: sink.port,
    storage: azurite.connectionString,
    config: { inbound: { maxMessageSize: '2GiB' } },
  };
  const small = await scenario.use(startDetach(options));
  await sendFile(small.port, { id: 'small', blocks: 2, size: blockBytes });
  const base = small.memory().peak;
  await small.stop();
  const large = await scenario.use(startDetach(options));
  const sum = await sendFile(large.port, {
    id: 'large',
    blocks: Math.ceil((1024 * mib) / blockBytes),
    size: blockBytes,
  });
  const peak = large.memory().peak;
  t.diagnostic(`peak with 1.8 MB: ${Math.round(base / mib)} MiB, with 1 GiB: ${Math.round(peak / mib)} MiB`);
  assert.ok(peak - base <= 64 * mib, `${Math.round((peak - base) / mib)} MiB more`);
  assert.equal(await sha256Of(`${linkIn(sink.messages[1]!.data)}/file`), sum);
});

test('20 senders of 25 MB at once stay under 256 MiB in total', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite());
  const sink = await scenario.use(startSink());
  const detach = await scenario.use(startDetach({ nextHop: sink.port, storage: azurite.connectionString }));
  const blocks = Math.ceil((25 * mib) / blockBytes);
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => sendFile(detach.port, { id: `s${i}`, blocks, size: blockBytes })),
  );
  const peak = detach.memory().peak;
  t.diagnostic(`peak: ${Math.round(peak / mib)} MiB`);
  assert.equal(sink.messages.length, 20);
  assert.ok(peak < 256 * mib, `${Math.round(peak / mib)} MiB`);
});
