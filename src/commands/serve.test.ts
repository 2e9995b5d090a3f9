import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

const secret = `${'S'.repeat(42)}A=`;

test('a port that is taken: the reason in the log, status 69, and nothing left running', async (t) => {
  const neighbour = createServer().listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
  t.after(() => neighbour.close());
  const main = join(import.meta.dirname, '../main.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', main, 'serve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    signal: t.signal,
    env: {
      ...process.env,
      DETACH_INBOUND_PORT: String((neighbour.address() as AddressInfo).port),
      DETACH_OUTBOUND_NEXT_HOP: '127.0.0.1:1',
      DETACH_LOOPGUARD_CLUSTER: 'test',
      DETACH_LOOPGUARD_KEYS: `k1:${secret}`,
      DETACH_STORAGE_CONNECTION_STRING: `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=${secret};BlobEndpoint=http://127.0.0.1:1/a`,
      DETACH_LINKS_BASE_URL: 'https://files.example.com',
      DETACH_LINKS_SECRET: secret,
      DETACH_LINKS_PORT: '0',
      DETACH_METRICS_PORT: '0',
    },
  });
  t.after(() => child.kill('SIGKILL'));
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
  const failed = new Promise<void>((resolve) => {
    child.stdout.on('data', () => {
      if (log.includes('start-failed')) resolve();
    });
  });
  const exit = once(child, 'close');
  await Promise.race([failed, exit]);
  assert.match(log, /"event":"start-failed".*EADDRINUSE/);
  // Closing two servers takes far less. If they were not closed, the process would never end.
  const running = new Promise((resolve) => setTimeout(resolve, 20_000, ['still running']).unref());
  assert.deepEqual(await Promise.race([exit, running]), [69, null]);
});
