/** The key of the storage account is renewed as docs/upkeep.md says ("Rotate keys"). */
import assert from 'node:assert/strict';
import { randomBytes as freshBytes } from 'node:crypto';
import { test } from 'node:test';
import { type Azurite, startAzurite } from '../harness/azurite.ts';
import { buildMessage } from '../harness/build-message.ts';
import { startDetach } from '../harness/detach-mta.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startSink } from '../harness/sink.ts';
import { linkIn } from './chain.ts';

const account = 'devstoreaccount1';
const [first, second, third] = [1, 2, 3].map(() => freshBytes(64).toString('base64')) as [string, string, string];

/** An account has two keys; Azurite reads them when it starts. */
const withKeys = (keys: readonly string[]): { readonly env: Readonly<Record<string, string>> } => ({
  env: { AZURITE_ACCOUNTS: [account, ...keys].join(':') },
});

const connection = ({ url }: Azurite, key: string): string =>
  `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${url};`;

/** Where a reader is sent for the bytes. Over a new connection: one that is open stays with the process of before. */
async function address(link: string): Promise<string> {
  const { status, headers } = await fetch(`${link}/file`, { redirect: 'manual', headers: { connection: 'close' } });
  assert.equal(status, 302);
  return headers.get('location')!;
}

const statusOf = async (url: string): Promise<number> => {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.status;
};

test('the second key of the account, a reload, and then a new first one: no mail is deferred, links live on', async (t) => {
  const scenario = new Scenario(t);
  const directory = scenario.directory('azurite');
  const azurite = await scenario.use(startAzurite({ directory, ...withKeys([first, second]) }));
  const sink = await scenario.use(startSink());
  const config = { links: { delivery: 'redirect' } };
  const detach = await scenario.use(startDetach({ nextHop: sink.port, storage: connection(azurite, first), config }));
  const send = async (subject: string): Promise<string> => {
    const envelope = { from: 'alice@example.com', to: ['bob@example.org'] };
    const attachments = [{ name: 'plan.bin', content: randomBytes(200_000, subject) }];
    const message = buildMessage({ ...envelope, subject, attachments });
    const { final } = await sendMail({ port: detach.port, ...envelope, message });
    assert.equal(final[0]?.code, 250, detach.describe());
    return linkIn(sink.messages.at(-1)!.data);
  };

  const before = await send('first key');
  const signed = await address(before);
  await detach.reload({ storage: { connectionString: connection(azurite, second) } });
  const between = await send('second key');
  // Addresses that were given out before are signed with the first key: it is renewed when they have ended.
  assert.equal(await statusOf(signed), 200);

  await azurite.down();
  await scenario.use(startAzurite({ directory, port: azurite.port, ...withKeys([third, second]) }));
  assert.equal(await statusOf(signed), 403);
  for (const link of [before, between, await send('first key renewed')])
    assert.equal(await statusOf(await address(link)), 200);
});
