/** Long recipients, and short ones within long input: what they make us keep in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { SmtpDialog } from '../harness/smtp-dialog.ts';
import { startBetween } from './chain.ts';

const from = 'a@example.com';
const to = ['b@example.org'];
const connections = 10;

/** Recipients as one connection says them, and how many of them are taken at least. */
const floods: readonly (readonly [what: string, wire: () => string, count: number, taken: number])[] = [
  ['of 15 kB', () => `RCPT TO:<${'x'.repeat(15_000)}@example.org>\r\n`.repeat(600), 600, 16],
  [
    'in 60 kB of other commands',
    () => `RCPT TO:<b@example.org>\r\n${`NOOP ${'x'.repeat(15_000)}\r\n`.repeat(4)}`.repeat(150),
    150,
    150,
  ],
];

for (const [what, wire, count, taken] of floods)
  test(`${connections} transactions with many recipients ${what}: less than 64 MB, and the rest comes next`, async (t) => {
    const { detach } = await startBetween(new Scenario(t), { sink: { keepData: false } });
    const send = async (): Promise<number | undefined> =>
      (await sendMail({ port: detach.port, from, to, message: buildMessage({ from, to }) })).final[0]?.code;
    const flood = async (): Promise<{ dialog: SmtpDialog; codes: number[] }> => {
      const dialog = await SmtpDialog.open(detach.port);
      await dialog.expect(250, 'EHLO a.example');
      await dialog.expect(250, `MAIL FROM:<${from}>`);
      const codes: number[] = [];
      const writing = dialog.write(wire());
      const replies = wire().split('\r\n').length - 1;
      for (let i = 0; i < replies; i++) codes.push((await dialog.read({ bound: 300_000 })).code);
      await writing;
      return { dialog, codes };
    };
    // One alone first: what more of them add is asked.
    (await flood()).dialog.abort();
    assert.equal(await send(), 250);
    detach.resetPeakMemory();
    const { now } = detach.memory();
    const all = await Promise.all(Array.from({ length: connections }, flood));
    assert.equal(await send(), 250, 'beside them');
    const more = detach.memory().peak - now;
    t.diagnostic(`recipients ${what}: ${Math.round(more / 1e6)} MB more`);
    assert.ok(more < 64e6, `${more} bytes more`);
    for (const { dialog, codes } of all) {
      assert.ok(codes.every((code) => code === 250 || code === 452));
      const refused = codes.filter((code) => code === 452).length;
      assert.ok(count - refused >= taken, `${count - refused} of ${count} were taken`);
      await dialog.expect(354, 'DATA');
      await dialog.write('Subject: x\r\n\r\nx\r\n.\r\n');
      assert.equal((await dialog.read({ bound: 120_000 })).code, 250);
      await dialog.quit();
    }
  });
