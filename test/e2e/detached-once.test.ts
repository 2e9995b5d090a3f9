import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlobServiceClient } from '@azure/storage-blob';
import { buildMessage } from '../harness/build-message.ts';
import { randomBytes, sha256 } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { linkIn, startChain, traceSize } from './chain.ts';

const mib = 1024 * 1024;

async function blobs(connectionString: string, prefix: string): Promise<string[]> {
  const names: string[] = [];
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient('detach');
  for await (const blob of container.listBlobsFlat({ prefix })) names.push(blob.name);
  return names;
}

test('25 MB to three recipients is stored once, each copy costs a link, and the file comes back whole', async (t) => {
  const scenario = new Scenario(t);
  const { a, dovecot, azurite } = await startChain(scenario, { a: { message_size_limit: 100 * mib } });
  const file = randomBytes(25 * mib, 'photo album');
  const recipients = ['bob@example.org', 'carol@example.org', 'dave@example.org'];
  const parts = {
    from: 'alice@example.com',
    to: recipients,
    text: 'See the album.\n',
    html: '<p>See the album.</p>\n',
  };
  const message = buildMessage({
    ...parts,
    attachments: [{ name: 'album.pdf', type: 'application/pdf', content: file }],
  });
  const without = buildMessage({
    ...parts,
    attachments: [{ name: 'album.pdf', type: 'application/pdf', content: Buffer.alloc(0) }],
  });
  const sent = await sendMail({ port: a.port, from: 'alice@example.com', to: recipients, message });
  assert.equal(sent.final[0]?.code, 250);

  const links = new Set<string>();
  for (const recipient of recipients) {
    const [copy] = await dovecot.waitForMail(recipient);
    assert.ok(copy);
    const size = copy.length - traceSize(copy, message);
    assert.ok(size < without.length + 1000, `${size} bytes, the message without the file has ${without.length}`);
    links.add(linkIn(copy));
  }
  assert.equal(links.size, 1, 'one transaction, one link');
  const [link = ''] = links;
  assert.ok(link.length <= 100, link);

  const download = await fetch(`${link}/file`);
  assert.equal(sha256(Buffer.from(await download.arrayBuffer())), sha256(file));
  assert.equal(download.headers.get('content-type'), 'application/pdf');
  assert.match(download.headers.get('content-disposition') ?? '', /^attachment; filename="?album\.pdf"?/);
  assert.deepEqual(await blobs(azurite.connectionString, 'files/'), [`files/${sha256(file)}`]);

  const again = buildMessage({
    from: 'bob@example.org',
    to: 'alice@example.com',
    attachments: [{ name: 'same album.pdf', type: 'application/pdf', content: file }],
  });
  await sendMail({ port: a.port, from: 'bob@example.org', to: ['alice@example.com'], message: again });
  const [copy] = await dovecot.waitForMail('alice@example.com');
  assert.ok(copy && !links.has(linkIn(copy)), 'another message, another link');
  assert.deepEqual(await blobs(azurite.connectionString, 'files/'), [`files/${sha256(file)}`]);
});
