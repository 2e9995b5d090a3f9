/** What a neighbour can say to make us work: processor time beside that of a plain file of the same size, in one run. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { base64Lines } from '../harness/build-message.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { SmtpDialog } from '../harness/smtp-dialog.ts';
import { startBetween, type Bench } from './chain.ts';

const octets = 20_000_000;
/** No message may cost more than this many times a plain one of its size. */
const maxRatio = 3;

const envelope = ['EHLO a.example', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.org>'];
const header = 'From: a@example.com\r\nSubject: x\r\nMessage-ID: <x@y>\r\nDate: Mon, 6 Jan 2025 10:00:00 +0000\r\n';

async function cpuOf({ detach }: Bench, work: () => Promise<void>): Promise<number> {
  const before = detach.cpuSeconds();
  await work();
  return detach.cpuSeconds() - before;
}

async function deliver({ detach }: Bench, wire: string | Buffer, head = header): Promise<void> {
  const dialog = await SmtpDialog.open(detach.port);
  for (const line of envelope) await dialog.expect(250, line);
  await dialog.expect(354, 'DATA');
  await dialog.write(`${head}\r\n`);
  await dialog.write(wire);
  await dialog.write('\r\n.\r\n');
  assert.equal((await dialog.read({ bound: 600_000 })).code, 250);
  await dialog.quit();
}

async function start(t: TestContext): Promise<{ readonly bench: Bench; readonly plain: number }> {
  const bench = await startBetween(new Scenario(t), { sink: { keepData: false } });
  const head = `${header}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n`;
  const file =
    '--b\r\n\r\nhello\r\n--b\r\nContent-Type: application/zip\r\nContent-Disposition: attachment; filename=a.zip\r\n' +
    'Content-Transfer-Encoding: base64\r\n\r\n';
  const encoded = base64Lines(randomBytes(Math.floor((octets * 57) / 78), 'plain'));
  const message = Buffer.concat([Buffer.from(file), Buffer.from(encoded), Buffer.from('\r\n--b--\r\n')]);
  await deliver(bench, message.subarray(0, 0));
  return { bench, plain: await cpuOf(bench, () => deliver(bench, message, head)) };
}

test('lines that begin with a dot, and lines with nothing in them, cost about what a file of that size does', async (t) => {
  const { bench, plain } = await start(t);
  for (const line of ['..\r\n', '\r\n', '..x\r\n']) {
    const cost = await cpuOf(bench, () => deliver(bench, line.repeat(octets / line.length)));
    t.diagnostic(`${JSON.stringify(line)}: ${(cost / plain).toFixed(1)} times ${plain.toFixed(2)} s`);
    assert.ok(cost < maxRatio * plain, `${JSON.stringify(line)} took ${cost} s, a file ${plain} s`);
  }
});

test('commands without sense or number: others are served, and nothing grows', async (t) => {
  const { bench } = await start(t);
  const { detach } = bench;
  const flood = async (command: string, count: number): Promise<void> => {
    const dialog = await SmtpDialog.open(detach.port);
    for (const line of envelope) await dialog.expect(250, line);
    const chunk = command.repeat(1000);
    for (let i = 0; i < count / 1000; i++) await dialog.write(chunk).catch(() => undefined);
    await dialog.quit();
  };
  const floods = [
    flood('RSET\r\n', 200_000),
    flood('NOOP\r\n', 200_000),
    flood('RCPT TO:<b@example.org>\r\n', 20_000),
    flood('XFORWARD NAME=x\r\n', 10_000),
    flood('EHLO a.example\r\n', 20_000),
    flood('AUTH PLAIN AA==\r\n', 10_000),
    flood('x'.repeat(100), 100_000),
  ];
  for (let i = 0; i < 5; i++) await deliver(bench, 'hello');
  await Promise.all(floods);
  await deliver(bench, 'hello');
  assert.ok(detach.memory().peak < 400 * 1024 * 1024, `peak ${detach.memory().peak}`);
});
