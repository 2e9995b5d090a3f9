/**
 * kill -9 of the Milter at every point of a message. Postfix does not queue the message before our final answer, so the
 * sender keeps it and tries again: nothing is lost or delivered twice.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAzurite } from '../../harness/azurite.ts';
import { buildMessage } from '../../harness/build-message.ts';
import { startDetach } from '../../harness/detach-mta.ts';
import { startPostfix, type PostfixInstance } from '../../harness/postfix.ts';
import { randomBytes, sha256 } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';
import { sendMail } from '../../harness/send-mail.ts';
import { startSink } from '../../harness/sink.ts';
import { Tripwire, type Trip } from '../../harness/tripwire.ts';
import { linkIn } from '../chain.ts';
import { startMilterPostfix } from './milter-chain.ts';

const fileSize = 1_000_000;
const encodedSize = fileSize * 1.37;
const from = 'alice@example.com';
const to = ['bob@example.org', 'carol@example.org'];

/** A packet without data: its length is one. */
const bare = (letter: string): RegExp => new RegExp(`\\0\\0\\0\\x01${letter}`);

/** Where the filter is killed: on which of its connections, at which point of the conversation. */
const points: readonly (readonly [what: string, wire: 'postfix' | 'storage', trip: Trip])[] = [
  ['Postfix opens the conversation', 'postfix', { direction: 'up', at: /O\0\0\0\x06/ }],
  ['we answer that', 'postfix', { direction: 'down', at: /O\0\0\0\x06/ }],
  ['CONNECT', 'postfix', { direction: 'up', at: /C[^\0]+\x004/ }],
  ['MAIL', 'postfix', { direction: 'up', at: /M<alice@/ }],
  ['the last RCPT', 'postfix', { direction: 'up', at: /R<carol@/ }],
  ['during the header', 'postfix', { direction: 'up', at: /LSubject\0/ }],
  ['the end of the header', 'postfix', { direction: 'up', at: bare('N') }],
  ['the first bytes of the file', 'postfix', { direction: 'up', at: 10_000 }],
  ['half of the file', 'postfix', { direction: 'up', at: encodedSize * 0.5 }],
  ['the end of the message', 'postfix', { direction: 'up', at: bare('E') }],
  ['the upload begins', 'storage', { direction: 'up', at: /files\// }],
  ['half of the upload', 'storage', { direction: 'up', at: fileSize / 2 }],
  ['the file is stored', 'storage', { direction: 'down', at: /HTTP\/1\.1 201/ }],
  ['the link is written', 'storage', { direction: 'up', at: /PUT \S*\/links\// }],
  ['the manifest is written', 'storage', { direction: 'up', at: /PUT \S*\/messages\// }],
  ['a field is inserted', 'postfix', { direction: 'down', at: /X-Detach-Message\0/ }],
  ['the body is replaced', 'postfix', { direction: 'down', at: /b--=_outer/ }],
  ['our last word', 'postfix', { direction: 'down', at: /\0\0\0\x01c$/ }],
];

test('kill -9 at any point: after a restart every recipient has the message, and has it once', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite());
  const sink = await scenario.use(startSink());
  const wireToStorage = await scenario.use(Tripwire.start(azurite.port));
  const detach = await scenario.use(
    startDetach({
      nextHop: [],
      storage: azurite.connectionString.replaceAll(`:${azurite.port}`, `:${wireToStorage.port}`),
      config: { inbound: { protocol: 'milter' } },
    }),
  );
  const wireFromPostfix = await scenario.use(Tripwire.start(detach.port));
  const postfix = await scenario.use(startMilterPostfix({ milter: wireFromPostfix.port, sink }));
  // The sender: a server with its own queue. Each message comes by a session of its own, so that Postfix opens a
  // conversation with the Milter for it.
  const settings = {
    relayhost: `[127.0.0.1]:${postfix.port}`,
    smtp_connection_cache_destinations: '',
    smtp_connection_cache_on_demand: 'no',
  };
  const sender = await scenario.use(startPostfix({ dir: 'postfix-a', settings }));
  const wires = { postfix: wireFromPostfix, storage: wireToStorage };
  for (const [i, [what, wire, trip]] of points.entries()) {
    await t.test(what, async () => {
      const content = randomBytes(fileSize, i);
      const subject = `killed at ${what}`;
      const message = buildMessage({ from, to, subject, attachments: [{ name: 'a.bin', content }] });
      const reached = wires[wire].arm(trip, () => void detach.kill('SIGKILL'));
      await sendMail({ port: sender.port, from, to, message });
      await reached;
      await detach.restart('SIGKILL');
      await settled(sender, postfix);
      const mine = sink.messages.filter(({ data }) => data.includes(subject));
      assert.deepEqual(mine.flatMap((copy) => copy.to).sort(), to, 'each of them has one copy');
      for (const { data } of mine) {
        assert.ok(data.length < 10_000);
        const download = await fetch(`${linkIn(data)}/file`);
        assert.equal(sha256(Buffer.from(await download.arrayBuffer())), sha256(content));
      }
    });
  }
});

/** Postfix goes on without us; of a new body that did not come to its end it keeps nothing. */
test('with milter_default_action = accept the message passes whole, wherever we are killed', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite());
  const sink = await scenario.use(startSink());
  const config = { inbound: { protocol: 'milter' } };
  const detach = await scenario.use(startDetach({ nextHop: [], storage: azurite.connectionString, config }));
  const wire = await scenario.use(Tripwire.start(detach.port));
  const postfix = await scenario.use(
    startPostfix({
      dir: 'postfix-a/milter',
      settings: {
        smtpd_milters: `inet:127.0.0.1:${wire.port}`,
        virtual_transport: `smtp:[127.0.0.1]:${sink.port}`,
        milter_default_action: 'accept',
      },
    }),
  );
  const attachments = [{ name: 'a.bin', content: randomBytes(fileSize, 'accept') }];
  const short = buildMessage({ from, to, attachments });
  const long = buildMessage({ from, to, text: 'a line of the text\n'.repeat(50_000), attachments });
  const cutAt = async (trip: Trip, message: Buffer): Promise<Buffer> => {
    const before = sink.messages.length;
    const reached = wire.arm(trip, () => void detach.kill('SIGKILL'));
    const { final } = await sendMail({ port: postfix.port, from, to: [to[0]!], message });
    await reached;
    assert.equal(final[0]?.code, 250);
    await sink.waitForMessages(before + 1);
    await detach.restart('SIGKILL');
    return sink.messages.at(-1)!.data;
  };
  for (const trip of [
    { direction: 'up', at: encodedSize * 0.5 },
    { direction: 'up', at: bare('E') },
    { direction: 'down', at: /X-Detach-Message\0/ },
    { direction: 'down', at: /b--=_outer/ },
  ] as const)
    assert.ok((await cutAt(trip, short)).includes(short), 'whole: the changes come in one piece with our last word');
  const within = await cutAt({ direction: 'down', at: 400_000 }, long);
  assert.ok(within.includes(long), 'whole: the old body, below the fields that we had inserted');
  assert.equal(sink.messages.length, 5);
});

async function settled(sender: PostfixInstance, postfix: PostfixInstance): Promise<void> {
  await sender.waitForQueue((queue) => queue.every((entry) => entry.queue_name !== 'active'), 'nothing active');
  await sender.deliverAll();
  await postfix.waitForEmptyQueue();
}
