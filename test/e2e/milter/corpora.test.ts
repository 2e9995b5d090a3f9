/**
 * A real Postfix shows the corpora to the Milter and delivers them. The message as shown is restored byte for byte from
 * the delivered one; messages that could not be restored were left whole.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { corpusMessages, enlarged, forwarded, withFile } from '../../../src/detach/testing/corpora.ts';
import type { PostfixInstance } from '../../harness/postfix.ts';
import { Scenario } from '../../harness/scenario.ts';
import { transact } from '../../harness/send-mail.ts';
import { startSink, type Sink } from '../../harness/sink.ts';
import { SmtpDialog } from '../../harness/smtp-dialog.ts';
import { startDoor, type Door } from './door.ts';
import { startMilterPostfix } from './milter-chain.ts';

const from = 'alice@example.com';
const to = ['bob@example.org'];
const cases = join(import.meta.dirname, '../../fixtures/cases');

interface Case {
  readonly name: string;
  readonly message: Buffer;
}

const fixtures: Case[] = readdirSync(cases).map((name) => ({ name, message: readFileSync(join(cases, name)) }));
const corpus: Case[] = corpusMessages().flatMap(({ corpus: origin, name, message }) =>
  [
    ['', message],
    [', forwarded', forwarded(message)],
    [', with a file', withFile(message)],
    [', enlarged', enlarged(message)],
  ].map(([how, bytes]) => ({ name: `${origin}${String(how)}: ${name}`, message: bytes as Buffer })),
);

/** Lines that Postfix breaks when it delivers them, so that what is delivered cannot be known beforehand. */
const hasLongLine = (shown: Buffer): boolean => /^[^\n]{999,}\r\n/m.test(bodyOf(shown));

const bodyOf = (message: Buffer): string => /\r\n\r\n([^]*)$/.exec(message.toString('latin1'))?.[1] ?? '';

interface Neighbours {
  readonly postfix: PostfixInstance;
  readonly sink: Sink;
  readonly door: Door;
}

async function start(scenario: Scenario): Promise<Neighbours> {
  const door = await scenario.use(startDoor({ rules: { minSize: 1000 } }));
  const sink = await scenario.use(startSink());
  const postfix = await scenario.use(
    startMilterPostfix({
      milter: door.port,
      sink,
      settings: {
        smtp_connection_cache_on_demand: 'yes',
        // The corpora hold mail that has come a long way.
        hopcount_limit: 500,
        in_flow_delay: 0,
      },
    }),
  );
  return { door, sink, postfix };
}

test('each message of the corpora, and each that once went wrong', async (t) => {
  const { door, sink, postfix } = await start(new Scenario(t));
  const dialog = await SmtpDialog.open(postfix.port);
  let detached = 0;
  const whole = new Map<string, number>();
  for (const { name, message } of [...fixtures, ...corpus]) {
    const before = { shown: door.shown.length, closed: door.transactions().length, delivered: sink.messages.length };
    const { final } = await transact(dialog, {
      port: postfix.port,
      from,
      to,
      message,
      mailParameters: 'BODY=8BITMIME',
    });
    assert.equal(final[0]?.code, 250, `${name}: ${final[0]?.text ?? 'no reply'}`);
    const delivered = (await sink.waitForMessages(before.delivered + 1))[before.delivered]!.data;
    const shown = door.shown[before.shown]!;
    const { files } = door.transactions()[before.closed] as { files: readonly unknown[] };
    if (files.length > 0) {
      detached += 1;
      assert.ok(!hasLongLine(shown), `${name}: such a line is broken on the way`);
      assert.equal((await door.lab.restore(delivered)).equals(shown), true, name);
      continue;
    }
    const passed = door.log.entries.filter(({ event }) => event === 'passed-whole').length;
    const reason = passed > [...whole.values()].reduce((sum, count) => sum + count, 0);
    if (reason) whole.set(name, 1);
    if (!hasLongLine(shown)) assert.equal(bodyOf(delivered), bodyOf(shown), `${name}: its body is untouched`);
  }
  await dialog.quit();
  t.diagnostic(
    `${fixtures.length + corpus.length} messages, ${detached} detached, left whole: ${[...whole.keys()].join('; ')}`,
  );
  assert.ok(detached > 100);
  assert.deepEqual(door.log.alarms, []);
});

const attachment = `--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${`${'QUJD'.repeat(19)}\r\n`.repeat(100)}`;
const beside = (text: string, fields = ''): Buffer =>
  Buffer.from(
    `From: ${from}\r\n${fields}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n${text}\r\n${attachment}--b--\r\n`,
    'latin1',
  );

/** Messages that Postfix changes. `left`: left whole, because it could not be restored. */
const troubles: readonly (readonly [what: string, message: Buffer, left: boolean])[] = [
  ['a line of 998 bytes', beside('x'.repeat(998)), false],
  ['a line of 999 bytes', beside('x'.repeat(999)), true],
  ['a line longer than a record of the queue', beside('x'.repeat(5000)), true],
  ['a field of 2,000 bytes', beside('text', `X-Long: ${'x'.repeat(2000)}\r\n`), false],
  ['a field beyond header_size_limit', beside('text', `X-Long: ${'x'.repeat(110_000)}\r\n`), false],
  ['NUL in the text', beside('a\0b'), false],
  ['NUL in a field', beside('text', 'X-Nul: a\0b\r\n'), false],
  ['a CR within a line', beside('a\rb'), false],
  ['a line that ends in LF alone', beside('a\nb'), false],
  ['a line that ends in CR CR LF', beside('a\r\r\nb'), false],
  ['a blank before the colon', beside('text', 'X-Blank : x\r\n'), false],
  ['a line of the header that is no field', beside('text', 'no field\r\n'), false],
];

test('what Postfix has its own ideas about comes back as it was shown, or is left whole', async (t) => {
  const { door, sink, postfix } = await start(new Scenario(t));
  for (const [i, [what, message, left]] of troubles.entries()) {
    await t.test(what, async () => {
      const dialog = await SmtpDialog.open(postfix.port);
      const { final } = await transact(dialog, { port: postfix.port, from, to, message });
      await dialog.quit();
      assert.equal(final[0]?.code, 250, final[0]?.text);
      const delivered = (await sink.waitForMessages(i + 1))[i]!.data;
      const { files } = door.transactions()[i] as { files: readonly unknown[] };
      if (left) {
        assert.deepEqual(files, []);
        assert.match(
          String(door.log.entries.findLast(({ event }) => event === 'passed-whole')?.['reason']),
          /longer than 998/,
        );
      } else if (files.length > 0) assert.equal((await door.lab.restore(delivered)).equals(door.shown[i]!), true);
      t.diagnostic(`${what}: ${files.length > 0 ? 'detached, restored' : 'left whole'}`);
    });
  }
});
