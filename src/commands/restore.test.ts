import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ContainerClient } from '@azure/storage-blob';
import { stringify } from 'yaml';
import { type Azurite, startAzurite } from '../../test/harness/azurite.ts';
import { loadConfig } from '../config/load-config.ts';
import { Lab } from '../detach/testing/lab.ts';
import { crlf, letterWithFile } from '../detach/testing/messages.ts';
import { createStore } from '../storage/store.ts';
import { runCommand } from './testing/run-command.ts';

const directory = mkdtempSync(join(tmpdir(), 'detach-test-'));
const config = join(directory, 'detach.yaml');
const file = randomBytes(6_000_000);
const original = letterWithFile(file, 'Message-ID: <1@a.example>');
let azurite: Azurite;
let lab: Lab;
let delivered: Buffer;

before(async () => {
  azurite = await startAzurite();
  writeFileSync(
    config,
    stringify({
      outbound: { nextHop: ['127.0.0.1:25'] },
      loopguard: { cluster: 'test', keys: [`1:${Buffer.alloc(32, 1).toString('base64')}`] },
      storage: { connectionString: azurite.connectionString, container: 'detach' },
      links: { baseUrl: 'https://files.example', secret: Buffer.alloc(32, 7).toString('base64') },
      spool: { directory },
    }),
  );
  const store = createStore(loadConfig({ file: config, env: {} }));
  await store.prepare(new AbortController().signal);
  lab = new Lab({ store, rules: { minSize: 1_000_000 } });
  const slices = Array.from({ length: 150 }, (_, i) => original.subarray(i * 65_536, (i + 1) * 65_536));
  delivered = (await lab.detach(slices)).message;
});

after(async () => {
  await lab.close();
  await azurite.stop();
  rmSync(directory, { recursive: true });
});

const run = (input: Buffer): ReturnType<typeof runCommand> => runCommand(['restore', '--config', config], { input });

test('a detached message is small and comes back from the blob store', async () => {
  assert.ok(delivered.length < 1000, `${delivered.length} bytes`);
  const { status, output, stderr } = await run(delivered);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  assert.deepEqual(output, original);
  const mailbox = await run(Buffer.from(delivered.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'));
  assert.deepEqual(mailbox.output, original);
});

test('what is wrong is in the exit status and in one line, and nothing is written', async () => {
  const says = async (message: Buffer, status: number, words: RegExp): Promise<void> => {
    const result = await run(message);
    assert.equal(result.output.length, 0);
    assert.equal(result.status, status);
    assert.match(result.stderr, /^detach-mta restore: [^\n]+\n$/);
    assert.match(result.stderr, words);
  };
  await says(crlf('Subject: x', '', 'text'), 65, /no X-Detach-Message/);
  await says(Buffer.concat([delivered, Buffer.from('footer\r\n')]), 65, /appended/);
  const sha256 = createHash('sha256').update(file).digest('hex');
  await new ContainerClient(azurite.connectionString, 'detach').deleteBlob(`files/${sha256}`);
  await says(delivered, 66, /no longer in storage/);
});

test('storage that cannot be reached, and a wrong configuration', async () => {
  const env = {
    DETACH_STORAGE_CONNECTION_STRING:
      'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:9/a',
  };
  const away = await runCommand(['restore', '--config', config], { env, input: delivered });
  assert.equal(away.status, 69);
  assert.match(away.stderr, /storage cannot be reached/);
  const none = await runCommand(['restore', '--config', join(directory, 'none.yaml')], { input: delivered });
  assert.equal(none.status, 78);
});
