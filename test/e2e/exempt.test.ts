import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { run } from '../harness/process.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { linkIn, startBetween, startChain, withoutTrace } from './chain.ts';

const file = { name: 'a.pdf', type: 'application/pdf', content: randomBytes(400_000, 'exempt') };
const from = 'alice@example.com';

test('exempt and other recipients in one message: everybody gets the right copy, the second class a little later', async (t) => {
  const { a, detach, dovecot } = await startChain(new Scenario(t), {
    detach: { detach: { exemptRecipients: ['example.com'] } },
  });
  const to = ['bob@example.org', 'alice@example.com', 'carol@example.org'];
  const message = buildMessage({ from, to, attachments: [file] });
  await sendMail({ port: a.port, from, to, message });
  await a.deliverAll();
  const [bob] = await dovecot.waitForMail('bob@example.org');
  const [carol] = await dovecot.waitForMail('carol@example.org');
  const [alice] = await dovecot.waitForMail('alice@example.com');
  assert.ok(bob && carol && alice);
  assert.equal(linkIn(bob), linkIn(carol));
  assert.ok(bob.length < 5000 && carol.length < 5000);
  assert.ok(withoutTrace(alice, message).equals(message), 'the exempt copy is whole');
  for (const user of to) assert.equal(dovecot.count(user), 1);
  assert.match(a.log(), /status=deferred .*452 4\.5\.3 recipient is subject to another policy/);
  assert.equal(detach.events.filter(({ event }) => event === 'transaction').length, 2);
});

/** Rules of the operator, and whether the file of the message then stays. */
const rules: readonly (readonly [
  what: string,
  config: Record<string, string | number | readonly string[]>,
  stays: boolean,
])[] = [
  ['the sender is exempt', { exemptSenders: ['example.com'] }, true],
  ['another sender is exempt', { exemptSenders: ['example.net'] }, false],
  ['the sender’s address is exempt', { exemptSenders: ['Alice@example.com'] }, true],
  ['another address of the sender’s domain is exempt', { exemptSenders: ['ann@example.com'] }, false],
  ['the recipient’s address is exempt', { exemptRecipients: ['bob@example.org'] }, true],
  ['another address of the recipient’s domain is exempt', { exemptRecipients: ['printer@example.org'] }, false],
  ['the type is excluded', { excludeTypes: ['application/*'] }, true],
  ['the extension is excluded', { excludeExtensions: ['pdf'] }, true],
  ['only images are included', { includeTypes: ['image/*'] }, true],
  ['only this recipient’s domain is included', { includeRecipients: ['example.org'] }, false],
  ['only another domain is included', { includeRecipients: ['example.net'] }, true],
  ['it is larger than what may be detached', { maxSize: '200kB' }, true],
  ['it is too small', { minSize: '1MiB' }, true],
  ['it is too small, but the total is not', { minSize: '1MiB', totalSize: '300kB', totalMinSize: '100kB' }, false],
];

for (const [what, config, stays] of rules) {
  test(`${what}: the file ${stays ? 'stays' : 'goes'}`, async (t) => {
    const { detach, sink } = await startBetween(new Scenario(t), { detach: { detach: config } });
    const message = buildMessage({ from, to: 'bob@example.org', attachments: [file] });
    const sent = await sendMail({ port: detach.port, from, to: ['bob@example.org'], message });
    assert.equal(sent.final[0]?.code, 250);
    const received = sink.messages[0]!.data;
    assert.equal(withoutTrace(received, message).equals(message), stays);
  });
}

test('a transport of their own at A: nobody waits', async (t) => {
  const { a, dovecot } = await startChain(new Scenario(t), {
    detach: { detach: { exemptRecipients: ['example.com'] } },
    master: (text) => `${text}\nexempt     unix  -       -       n       -       -       smtp\n`,
  });
  const relayhost = (await run('postconf', ['-c', a.config, '-h', 'relayhost'])).trim();
  await a.postconf({ transport_maps: `inline:{ { example.com = exempt:${relayhost} } }` });
  const to = ['bob@example.org', 'alice@example.com', 'carol@example.org'];
  const message = buildMessage({ from, to, attachments: [file] });
  await sendMail({ port: a.port, from, to, message });
  await a.waitForEmptyQueue();
  const [alice] = await dovecot.waitForMail('alice@example.com');
  const [bob] = await dovecot.waitForMail('bob@example.org');
  assert.ok(alice && bob && bob.length < 5000 && alice.length > message.length);
  assert.doesNotMatch(a.log(), /status=deferred/);
});

test('what operator and sender choose, through both Postfix servers: an exempt address, a field of a sender, a place', async (t) => {
  const { a, dovecot } = await startChain(new Scenario(t), {
    detach: {
      detach: { exemptRecipients: ['dave@example.org'], optOut: { field: 'X-Keep-Files', senders: [from] } },
      links: { position: 'top' },
    },
  });
  const letters = [
    { to: 'dave@example.org', sender: from, headers: [], stays: true },
    { to: 'bob@example.org', sender: from, headers: ['x-keep-files:  No'], stays: true },
    { to: 'bob@example.org', sender: 'mallory@example.net', headers: ['X-Keep-Files: no'], stays: false },
    { to: 'carol@example.org', sender: from, headers: ['X-Keep-Files: yes'], stays: false },
  ];
  const messages = letters.map(({ to, sender, headers }) =>
    buildMessage({ from: sender, to, headers, text: 'Hello.\n', attachments: [file] }),
  );
  for (const [i, { to, sender }] of letters.entries())
    await sendMail({ port: a.port, from: sender, to: [to], message: messages[i]! });
  await a.deliverAll();
  for (const [i, { to, stays }] of letters.entries()) {
    const original = messages[i]!;
    const id = /^Message-ID: (.*)\r$/m.exec(original.toString('latin1'))![1]!;
    const copies = await dovecot.waitForMail(to, letters.filter((letter) => letter.to === to).length);
    const copy = copies.find((each) => each.includes(id))!;
    assert.equal(withoutTrace(copy, original).equals(original), stays, `letter ${i}`);
    if (!stays)
      assert.match(copy.toString(), /\r\n\r\nAttached to this message[^]*https?:[^]*\r\nHello\./, `letter ${i}`);
  }
});
