import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { startAzurite } from '../../harness/azurite.ts';
import { base64Lines } from '../../harness/build-message.ts';
import { startDetach, type DetachInstance } from '../../harness/detach-mta.ts';
import type { PostfixInstance } from '../../harness/postfix.ts';
import { randomBytes } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';
import { startSink, type Sink } from '../../harness/sink.ts';
import { SmtpDialog } from '../../harness/smtp-dialog.ts';
import { linkIn } from '../chain.ts';
import { startMilterPostfix } from './milter-chain.ts';

const mib = 1024 * 1024;
/** A multiple of 57, so that each block is whole base64 lines. */
const blockBytes = 57 * 16 * 1024;
const delimiter = '--b\r\nContent-Type: ';

/** Sends a message of `blocks` equal blocks of base64, made as it is sent. @returns the SHA-256 of what was encoded */
async function sendBlocks(
  port: number,
  { id, type, blocks }: { id: string; type: string; blocks: number },
): Promise<string> {
  const block = randomBytes(blockBytes, id);
  const encoded = base64Lines(block);
  const hash = createHash('sha256');
  const dialog = await SmtpDialog.open(port);
  await dialog.expect(250, 'EHLO a.example');
  await dialog.expect(250, 'MAIL FROM:<alice@example.com>');
  await dialog.expect(250, 'RCPT TO:<bob@example.org>');
  await dialog.expect(354, 'DATA');
  await dialog.write(
    `From: alice@example.com\r\nMessage-ID: <${id}@example.com>\r\nDate: Mon, 6 Jan 2025 10:00:00 +0000\r\nMIME-Version: 1.0\r\n` +
      `Content-Type: multipart/mixed; boundary=b\r\n\r\n${delimiter}text/plain\r\n\r\nhello\r\n${delimiter}${type}\r\n` +
      'Content-Transfer-Encoding: base64\r\n\r\n',
  );
  for (let i = 0; i < blocks; i += 1) {
    hash.update(block);
    await dialog.write(encoded);
    await dialog.write('\r\n');
  }
  // A small file beside it, so that the body is always replaced.
  await dialog.write(`${delimiter}application/zip; name=small.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n`);
  await dialog.write(base64Lines(randomBytes(200_000, id)));
  await dialog.write('\r\n--b--\r\n.\r\n');
  const reply = await dialog.read({ bound: 600_000 });
  assert.equal(reply.code, 250, reply.text);
  await dialog.quit();
  return hash.digest('hex');
}

interface Chain {
  readonly detach: DetachInstance;
  readonly postfix: PostfixInstance;
  readonly sink: Sink;
}

async function start(scenario: Scenario): Promise<Chain> {
  const azurite = await scenario.use(startAzurite());
  const sink = await scenario.use(startSink({ keepData: true }));
  const config = { inbound: { protocol: 'milter', maxMessageSize: '4GiB' } };
  const detach = await scenario.use(startDetach({ nextHop: [], storage: azurite.connectionString, config }));
  const postfix = await scenario.use(
    startMilterPostfix({ milter: detach.port, sink, settings: { message_size_limit: 4_000_000_000 } }),
  );
  return { detach, postfix, sink };
}

async function sha256Of(url: string): Promise<string> {
  const hash = createHash('sha256');
  const response = await fetch(url);
  for await (const chunk of response.body ?? []) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

const peakAbove = (base: number, peak: number): string =>
  `peak with 1.8 MB: ${Math.round(base / mib)} MiB, then: ${Math.round(peak / mib)} MiB`;

test('a file of 400 MB: memory is what a file of 1.8 MB takes, and 64 MiB', async (t) => {
  const scenario = new Scenario(t);
  const { detach, postfix, sink } = await start(scenario);
  const type = 'application/zip; name=large.zip';
  await sendBlocks(postfix.port, { id: 'small', type, blocks: 2 });
  const base = detach.memory().peak;
  const sum = await sendBlocks(postfix.port, { id: 'large', type, blocks: Math.ceil((400 * mib) / blockBytes) });
  const { peak } = detach.memory();
  t.diagnostic(peakAbove(base, peak));
  assert.ok(peak - base <= 64 * mib, peakAbove(base, peak));
  const [, delivered] = await sink.waitForMessages(2);
  assert.equal(await sha256Of(`${linkIn(delivered!.data)}/file`), sum);
});

test('a new body of 200 MB: a text that stays, and a file beside it that goes', async (t) => {
  const scenario = new Scenario(t);
  const { detach, postfix, sink } = await start(scenario);
  const type = 'text/plain; charset=utf-8';
  await sendBlocks(postfix.port, { id: 'small', type, blocks: 2 });
  const base = detach.memory().peak;
  await sendBlocks(postfix.port, { id: 'large', type, blocks: Math.ceil((150 * mib) / blockBytes) });
  const { peak } = detach.memory();
  t.diagnostic(peakAbove(base, peak));
  assert.ok(peak - base <= 64 * mib, peakAbove(base, peak));
  const [, delivered] = await sink.waitForMessages(2);
  assert.ok(delivered!.data.length > 200e6);
});
