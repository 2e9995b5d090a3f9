import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAzurite } from '../harness/azurite.ts';
import { buildMessage } from '../harness/build-message.ts';
import { startDetach } from '../harness/detach-mta.ts';
import { startDovecot } from '../harness/dovecot.ts';
import { startPostfix } from '../harness/postfix.ts';
import { randomBytes, sha256 } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { Tripwire, type Trip } from '../harness/tripwire.ts';
import { linkIn } from './chain.ts';

const fileSize = 3_000_000;
const encodedSize = fileSize * 1.37;
const recipients = ['bob@example.org', 'carol@example.org'];

/** Where the filter is killed: on which of its connections, at which point of the conversation. */
const points: readonly (readonly [what: string, wire: 'A' | 'storage' | 'B', trip: Trip, duplicates?: true])[] = [
  ['A says EHLO', 'A', { direction: 'up', at: /EHLO / }],
  ['A says MAIL', 'A', { direction: 'up', at: /MAIL FROM/ }],
  ['A says DATA', 'A', { direction: 'up', at: /DATA\r\n/ }],
  ['during the header', 'A', { direction: 'up', at: /Subject:/ }],
  ['the first bytes of the file', 'A', { direction: 'up', at: 10_000 }],
  ['half of the file', 'A', { direction: 'up', at: encodedSize * 0.5 }],
  ['the final dot of A', 'A', { direction: 'up', at: /\r\n\.\r\n/ }],
  ['the upload begins', 'storage', { direction: 'up', at: /files\// }],
  ['half of the upload', 'storage', { direction: 'up', at: fileSize / 2 }],
  ['the file is stored', 'storage', { direction: 'down', at: /HTTP\/1\.1 201/ }],
  ['the link is written', 'storage', { direction: 'up', at: /PUT \S*\/links\// }],
  ['the manifest is written', 'storage', { direction: 'up', at: /PUT \S*\/messages\// }],
  ['DATA to B', 'B', { direction: 'up', at: /DATA\r\n/ }],
  ['B says 354', 'B', { direction: 'down', at: /354 / }],
  ['the header to B', 'B', { direction: 'up', at: /X-Detach-Guard/ }],
  ['the final dot to B', 'B', { direction: 'up', at: /\r\n\.\r\n/ }],
  // The one gap that no relay can close: B has the message, and A has not heard of it.
  ['B has said 250', 'B', { direction: 'down', at: /queued as/ }, true],
];

test('kill -9 at any point: after a restart every recipient has the message', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite());
  const dovecot = await scenario.use(startDovecot({ users: recipients }));
  const b = await scenario.use(
    startPostfix({ dir: 'postfix-b', settings: { virtual_transport: `lmtp:inet:127.0.0.1:${dovecot.lmtpPort}` } }),
  );
  const wireToStorage = await scenario.use(Tripwire.start(azurite.port));
  const wireToB = await scenario.use(Tripwire.start(b.port));
  const detach = await scenario.use(
    startDetach({
      nextHop: wireToB.port,
      storage: azurite.connectionString.replaceAll(`:${azurite.port}`, `:${wireToStorage.port}`),
    }),
  );
  const wireFromA = await scenario.use(Tripwire.start(detach.port));
  const a = await scenario.use(
    startPostfix({ dir: 'postfix-a', settings: { relayhost: `[127.0.0.1]:${wireFromA.port}` } }),
  );
  const wires = { A: wireFromA, storage: wireToStorage, B: wireToB };

  for (const [i, [what, wire, trip, mayDuplicate = false]] of points.entries()) {
    await t.test(what, async () => {
      const file = randomBytes(fileSize, i);
      const message = buildMessage({
        from: 'alice@example.com',
        to: recipients,
        subject: `killed when ${what}`,
        attachments: [{ name: 'a.bin', content: file }],
      });
      const before = recipients.map((recipient) => dovecot.count(recipient));
      const reached = wires[wire].arm(trip, () => void detach.kill('SIGKILL'));
      await sendMail({ port: a.port, from: 'alice@example.com', to: recipients, message });
      await reached;
      await detach.restart('SIGKILL');
      await a.waitForQueue((queue) => queue.every((entry) => entry.queue_name !== 'active'), 'nothing active');
      await a.deliverAll();
      await b.waitForEmptyQueue();
      for (const [r, recipient] of recipients.entries()) {
        const copies = (await dovecot.fetch(recipient)).slice(before[r]);
        const mine = copies.filter((copy) => copy.includes(`killed when ${what}`));
        assert.ok(mine.length >= 1, `${recipient} lost the message`);
        assert.equal(mine.length, mayDuplicate ? 2 : 1, `${recipient} has ${mine.length} copies`);
        const download = await fetch(`${linkIn(mine[0]!)}/file`);
        assert.equal(sha256(Buffer.from(await download.arrayBuffer())), sha256(file));
      }
    });
  }
});
