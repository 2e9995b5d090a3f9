import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../../harness/build-message.ts';
import { startPostfix } from '../../harness/postfix.ts';
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
