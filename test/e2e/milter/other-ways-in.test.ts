/** What reaches a Milter beside plain SMTP, and what Postfix adds to mail before and after it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../../harness/build-message.ts';
import type { DetachInstance } from '../../harness/detach-mta.ts';
import { randomBytes } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';
import { sendMail } from '../../harness/send-mail.ts';
import { waitFor } from '../../harness/wait.ts';
import { restore } from '../../harness/restore.ts';
import { startMilterChain } from './milter-chain.ts';

const from = 'alice@example.com';
const to = ['bob@example.org'];
const file = { name: 'plan.pdf', type: 'application/pdf', content: randomBytes(200_000, 'other ways') };
const withFile = (): Buffer => buildMessage({ from, to: 'bob@example.org', attachments: [file] });

test('the sendmail command: filtered by non_smtpd_milters, deferred to the queue while the storage is down', async (t) => {
  const { postfix, detach, sink, azurite } = await startMilterChain(new Scenario(t), {
    // How often pickup looks for mail that it could not hand on, in seconds.
    master: (text) => text.replace(/^(pickup\s.*)\b60\b/m, '$11'),
  });
  const message = withFile();
  const lines = Buffer.from(message.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
  await postfix.sendmail(['-i', '-f', from, ...to], lines);
  const [delivered] = await sink.waitForMessages(1);
  assert.ok(delivered!.data.length < 10_000, detach.describe());
  const { status, output } = await restore(detach, delivered!.data);
  assert.equal(status, 0);
  assert.equal(output.equals(message), true);
  const { queueId } = (await detach.waitForEvent('transaction')) as { queueId?: unknown };
  assert.match(String(queueId), /^[A-Za-z0-9]+$/);

  // Nobody waits here who could be told 4xx: the mail stays where sendmail put it, and pickup tries again.
  await azurite.down();
  await postfix.sendmail(
    ['-i', '-f', from, ...to],
    Buffer.from(withFile().toString('latin1').replaceAll('\r\n', '\n')),
  );
  await detach.waitForEvent('transaction', ({ outcome }) => outcome !== 'delivered');
  assert.equal(sink.messages.length, 1);
  await azurite.up();
  await sink.waitForMessages(2);
  assert.ok(sink.messages[1]!.data.length < 10_000, detach.describe());
  assert.equal(sink.messages.length, 2);
});

test('a bounce is not shown to us, unless Postfix is told to; then it passes whole', async (t) => {
  const scenario = new Scenario(t);
  const { postfix, detach, sink } = await startMilterChain(scenario, { postfix: { bounce_size_limit: 1_000_000 } });
  sink.answer = ({ stage, line }) => (stage === 'rcpt' && line.includes('bob@') ? '550 5.1.1 no such user' : undefined);
  // A client that pipelines sends an empty message where every recipient was refused.
  const bounces = (): string[] =>
    sink.messages.map(({ data }) => data.toString('latin1')).filter((text) => text.includes('multipart/report'));
  for (const [shown, classes] of [
    [1, ''],
    [2, 'bounce'],
  ] as const) {
    await postfix.postconf({ internal_mail_filter_classes: classes });
    const transactions = (): DetachInstance['events'] => detach.events.filter(({ event }) => event === 'transaction');
    const before = transactions().length;
    await sendMail({ port: postfix.port, from, to, message: withFile() });
    await waitFor(() => bounces().length === shown, { what: 'the bounce', detail: () => postfix.log().slice(-3000) });
    assert.match(bounces().at(-1)!, /report-type=delivery-status/);
    // Its line may be read later than the bounce.
    await waitFor(() => transactions().length >= before + shown, {
      what: 'the line in the log',
      detail: () => detach.describe(),
    });
    const closing = transactions().slice(before);
    assert.equal(closing.length, shown, detach.describe());
    if (shown === 2) assert.deepEqual(closing[1]!['files'], []);
  }
});

test('fields that Postfix adds, blind copies that it sends, checks of fields before us and of ours', async (t) => {
  const { postfix, detach, sink } = await startMilterChain(new Scenario(t), {
    postfix: {
      always_add_missing_headers: 'yes',
      sender_bcc_maps: 'inline:{alice@example.com=archive@example.org}',
      virtual_mailbox_maps: 'static:mailbox',
      header_checks: 'regexp:$config_directory/checks',
      milter_header_checks: 'regexp:$config_directory/milter_checks',
    },
    files: {
      checks: '/^Subject: secret/ REPLACE Subject: replaced\n/^X-Gone:/ IGNORE\n',
      milter_checks: '/^X-Detach-(Guard|Message):/ WARN ours\n/^Subject:/ REJECT not ours\n',
    },
  });
  const text = withFile().toString('latin1');
  const bare = text
    .replace(/^(?:Message-ID|Date): .*\r\n/gim, '')
    .replace('Subject: a test', 'Subject: secret\r\nX-Gone: 1');
  const { final } = await sendMail({ port: postfix.port, from, to, message: Buffer.from(bare, 'latin1') });
  assert.equal(final[0]?.code, 250, final[0]?.text);
  const [delivered] = await sink.waitForMessages(1);
  assert.deepEqual([...delivered!.to].sort(), ['archive@example.org', 'bob@example.org']);
  const copy = delivered!.data.toString('latin1');
  assert.match(copy, /^Subject: replaced\r$/m);
  assert.match(copy, /^Message-Id: <.*@mail\.example\.net>\r$/im);
  assert.doesNotMatch(copy, /^X-Gone/m);
  assert.ok(copy.length < 10_000, detach.describe());
  await postfix.waitForLog(/milter-header-warning: header X-Detach-Guard: /);
  await postfix.waitForLog(/milter-header-warning: header X-Detach-Message: /);
  const { status, output } = await restore(detach, sink.messages[0]!.data);
  assert.equal(status, 0);
  const shown = output.toString('latin1');
  assert.match(shown, /^Subject: replaced\r$/m, 'what the Milter was shown');
  assert.match(shown, /^Message-Id: </im);
  assert.equal(shown.slice(shown.indexOf('\r\n\r\n')), bare.slice(bare.indexOf('\r\n\r\n')));
});
