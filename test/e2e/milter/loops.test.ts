import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../../harness/build-message.ts';
import { startDetach } from '../../harness/detach-mta.ts';
import { startPostfix } from '../../harness/postfix.ts';
import { randomBytes } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';
import { sendMail } from '../../harness/send-mail.ts';
import { startMilterChain } from './milter-chain.ts';

const message = buildMessage({ from: 'alice@example.com', to: 'bob@example.org', text: 'round and round\n' });

test('the original bug: Postfix relays to another Postfix, which relays back; refused at the second pass', async (t) => {
  const scenario = new Scenario(t);
  const { postfix: a, detach } = await startMilterChain(scenario, { postfix: { virtual_mailbox_domains: '' } });
  const b = await scenario.use(
    startPostfix({
      dir: 'postfix-b',
      settings: { virtual_mailbox_domains: '', virtual_alias_maps: '', relayhost: `[127.0.0.1]:${a.port}` },
    }),
  );
  await a.postconf({ relayhost: `[127.0.0.1]:${b.port}` });
  await sendMail({ port: a.port, from: 'alice@example.com', to: ['bob@example.org'], message });
  const loop = await detach.waitForEvent('loop-refused');
  assert.equal(loop['fence'], 'stamp');
  await b.waitForLog(/status=bounced \(.*554 5\.4\.6 mail forwarding loop for <bob@example\.org>/);
});

test('a copy for some of the recipients comes back with others: it passes, and is caught alone', async (t) => {
  const { postfix, detach, sink } = await startMilterChain(new Scenario(t));
  const send = (to: readonly string[], bytes: Buffer): ReturnType<typeof sendMail> =>
    sendMail({ port: postfix.port, from: 'alice@example.com', to, message: bytes });
  await send(['bob@example.org'], message);
  const [first] = await sink.waitForMessages(1);
  const mixed = await send(['bob@example.org', 'carol@example.org'], first!.data);
  assert.equal(mixed.final[0]?.code, 250, 'one of them has not had it yet');
  const alone = await send(['bob@example.org'], first!.data);
  assert.equal(alone.final[0]?.code, 554, detach.describe());
});

test('the sendmail command: a copy that comes back is refused, and Postfix writes the bounce', async (t) => {
  const { postfix, detach, sink } = await startMilterChain(new Scenario(t));
  await sendMail({ port: postfix.port, from: 'alice@example.com', to: ['bob@example.org'], message });
  const [first] = await sink.waitForMessages(1);
  const lines = Buffer.from(first!.data.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
  await postfix.sendmail(['-i', '-f', 'alice@example.com', 'bob@example.org'], lines);
  assert.equal((await detach.waitForEvent('loop-refused'))['fence'], 'stamp');
  const [, bounce] = await sink.waitForMessages(2);
  assert.deepEqual([bounce!.from, bounce!.to], ['', ['alice@example.com']]);
  assert.match(bounce!.data.toString('latin1'), /mail forwarding loop for <bob@example\.org>/);
});

test('a relay and a Milter in a row: of one cluster only where two passes are meant, of two clusters always', async (t) => {
  const keys = [`k1:${randomBytes(32, 'one cluster').toString('base64')}`];
  const file = { name: 'a.bin', content: randomBytes(200_000, 'in a row') };
  const letter = buildMessage({ from: 'alice@example.com', to: 'bob@example.org', attachments: [file] });
  for (const { guards, arrives } of [
    { guards: [{ cluster: 'one' }, { cluster: 'one' }], arrives: false },
    {
      guards: [
        { cluster: 'one', maxPasses: 2 },
        { cluster: 'one', maxPasses: 2 },
      ],
      arrives: true,
    },
    { guards: [{ cluster: 'one' }, { cluster: 'two' }], arrives: true },
  ]) {
    const scenario = new Scenario(t);
    const [ofRelay, ofMilter] = guards.map((guard) => ({ loopguard: { ...guard, keys } }));
    const chain = await startMilterChain(scenario, { detach: ofMilter! });
    const relay = await scenario.use(
      startDetach({ nextHop: chain.postfix.port, storage: chain.azurite.connectionString, config: ofRelay! }),
    );
    const { final } = await sendMail({
      port: relay.port,
      from: 'alice@example.com',
      to: ['bob@example.org'],
      message: letter,
    });
    if (!arrives) {
      assert.equal(final[0]?.code, 554, chain.detach.describe());
      assert.match(final[0].text, /5\.4\.6 mail forwarding loop for <bob@example\.org>/);
      continue;
    }
    assert.equal(final[0]?.code, 250, chain.detach.describe());
    const [delivered] = await chain.sink.waitForMessages(1);
    assert.ok(delivered!.data.length < 10_000, 'the relay took the file out, and the Milter found nothing more');
    assert.equal(delivered!.data.toString('latin1').match(/^X-Detach-Guard:/gm)?.length, 2);
  }
});

test('where one recipient is exempt all files stay, for all of them', async (t) => {
  const { postfix, detach, sink } = await startMilterChain(new Scenario(t), {
    detach: { detach: { exemptRecipients: ['carol@example.org'] } },
  });
  const file = { name: 'a.bin', content: randomBytes(200_000, 'exempt') };
  const letter = buildMessage({ from: 'alice@example.com', to: 'bob@example.org', attachments: [file] });
  const from = 'alice@example.com';
  const send = (to: readonly string[]): ReturnType<typeof sendMail> =>
    sendMail({ port: postfix.port, from, to, message: letter });
  assert.equal((await send(['bob@example.org', 'carol@example.org'])).final[0]?.code, 250);
  const [whole] = await sink.waitForMessages(1);
  assert.ok(whole!.data.includes(letter), detach.describe());
  assert.equal((await send(['bob@example.org'])).final[0]?.code, 250);
  const [, detached] = await sink.waitForMessages(2);
  assert.ok(detached!.data.length < 10_000);
});
