/**
 * Symptom: a sweep that systemd stopped printed a stack trace, with status 1. Cause: a signal destroys standard input with
 * an error, and a command that reads no input did not listen for it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { stringify } from 'yaml';

const main = join(import.meta.dirname, '..', 'main.ts');
const key = Buffer.alloc(32, 1).toString('base64');

test('a signal ends a command that waits for storage with one line and its status', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'detach-interruption-'));
  t.after(() => rmSync(home, { recursive: true }));
  // Storage that accepts connections and never answers.
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/account`;
  const config = join(home, 'detach-mta.yaml');
  writeFileSync(
    config,
    stringify({
      outbound: { nextHop: ['127.0.0.1:25'] },
      loopguard: { cluster: 'test', keys: [`1:${key}`] },
      storage: {
        connectionString: `DefaultEndpointsProtocol=http;AccountName=account;AccountKey=${key};BlobEndpoint=${endpoint};`,
      },
      links: { baseUrl: 'https://files.example', secret: key },
    }),
  );
  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    const words = ['--import', 'tsx', main, 'stats', '--config', config];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = once(child, 'exit');
    const errors = text(child.stderr);
    const socket = once(server, 'connection');
    await Promise.race([socket, ended]);
    child.kill(signal);
    assert.deepEqual(await ended, [status, null]);
    assert.equal(await errors, `detach-mta stats: ended by ${signal}\n`);
  }
});
