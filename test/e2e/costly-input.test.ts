/** What a neighbour can say to make us work: processor time beside that of a plain file of the same size, in one run. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { base64Lines } from '../harness/build-message.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { SmtpDialog } from '../harness/smtp-dialog.ts';
import { startBetween, type Bench } from './chain.ts';

const octets = 20_000_000;
/**
 * No message may cost more than three times a plain one of its size. With other tests beside it, short lines become dearer
 * than a file does, hence four here.
 */
const maxRatio = 4;
const rounds = 3;

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

const start = (t: TestContext): Promise<Bench> => startBetween(new Scenario(t), { sink: { keepData: false } });

/** A message with one base64 file that nobody has sent before. */
function plainMessage(name: string): { readonly head: string; readonly wire: Buffer } {
  const head = `${header}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n`;
  const file =
    '--b\r\n\r\nhello\r\n--b\r\nContent-Type: application/zip\r\nContent-Disposition: attachment; filename=a.zip\r\n' +
    'Content-Transfer-Encoding: base64\r\n\r\n';
  const encoded = base64Lines(randomBytes(Math.floor((octets * 57) / 78), name));
  return { head, wire: Buffer.concat([Buffer.from(file), Buffer.from(encoded), Buffer.from('\r\n--b--\r\n')]) };
}

test('lines that begin with a dot, and lines with nothing in them, cost about what a file of that size does', async (t) => {
  const bench = await start(t);
  const lines = ['..\r\n', '\r\n', '..x\r\n'];
  const plain: number[] = [];
  const costs = new Map(lines.map((line): [string, number[]] => [line, []]));
  // The first round warms up. Of the others the lowest counts: other work on the machine can only add.
  for (let round = 0; round <= rounds; round++) {
    const { head, wire } = plainMessage(`plain ${round}`);
    plain.push(await cpuOf(bench, () => deliver(bench, wire, head)));
    for (const line of lines)
      costs.get(line)!.push(await cpuOf(bench, () => deliver(bench, line.repeat(octets / line.length))));
  }
  const file = Math.min(...plain.slice(1));
  for (const [line, all] of costs) {
    const cost = Math.min(...all.slice(1));
    t.diagnostic(`${JSON.stringify(line)}: ${(cost / file).toFixed(1)} times ${file.toFixed(2)} s`);
    assert.ok(cost < maxRatio * file, `${JSON.stringify(line)} took ${cost} s, a file ${file} s`);
  }
});

test('commands without sense or number: others are served, and nothing grows', async (t) => {
  const bench = await start(t);
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
