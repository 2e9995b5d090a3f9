import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  generateAccountSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { startAzurite } from '../../../test/harness/azurite.ts';
import { examineWith, linesOf } from '../testing/examine.ts';
import { configOf } from '../testing/neighbour-lab.ts';
import { redirect } from './redirect.ts';

const find = async (connectionString: string, links: object = {}): Promise<string> =>
  linesOf(
    await examineWith(redirect, configOf({ storage: { connectionString }, links: { delivery: 'redirect', ...links } })),
  );

/** A CDN of its own will: it answers every address with this. */
async function cdn(t: TestContext, status: number): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end('x'.repeat(4096)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Rights to do everything with blobs, and none to sign. */
function signature(connectionString: string): string {
  const [, name = '', key = ''] = /AccountName=([^;]+);AccountKey=([^;]+)/.exec(connectionString) ?? [];
  const rights = {
    expiresOn: new Date(Date.now() + 3_600_000),
    permissions: AccountSASPermissions.parse('rwdlac'),
    resourceTypes: AccountSASResourceTypes.parse('sco').toString(),
    services: AccountSASServices.parse('b').toString(),
  };
  return generateAccountSASQueryParameters(rights, new StorageSharedKeyCredential(name, key)).toString();
}

test('redirect: a connection that may not sign, and CDNs that do as they like', async (t) => {
  const azurite = await startAzurite({ inMemory: true });
  t.after(() => azurite.stop());
  const { connectionString } = azurite;
  const [, endpoint = ''] = /BlobEndpoint=([^;]+)/.exec(connectionString) ?? [];
  const unsigned = `BlobEndpoint=${endpoint};SharedAccessSignature=${signature(connectionString)}`;
  assert.match(await find(unsigned), /^fail redirect: addresses for readers cannot be signed: .* => .*AccountKey/);
  assert.match(
    await find(connectionString, { cdnUrl: await cdn(t, 200) }),
    /^fail redirect: .* ignores ranges: a broken download begins anew => compare links\.cdnUrl/,
  );
  const refused = await find(connectionString, { cdnUrl: await cdn(t, 403) });
  assert.match(refused, /^fail redirect: .* answers 403 to a signed address => compare links\.cdnUrl/);
  assert.doesNotMatch(refused, /sig=/);
});
