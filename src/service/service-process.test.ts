import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../config/config.ts';
import { Listeners } from './listeners.ts';
import { ServiceProcess } from './service-process.ts';

test('a process that the system cannot start has ended, and says why: nobody waits for it', async (t) => {
  const listeners = new Listeners();
  t.after(() => listeners.keep([]));
  const address = { address: '127.0.0.1', port: 0, socketMode: 0o660, socketGroup: undefined };
  const listening = await listeners.open(address, t.signal);
  const { execPath } = process;
  process.execPath = '/nonexistent/node';
  t.after(() => (process.execPath = execPath));
  const never = new ServiceProcess({
    role: 'mail',
    name: 'mail-1',
    config: { workers: 1 } as Config,
    listening,
    onMessage: () => undefined,
  });
  await assert.rejects(never.started, { message: 'spawn /nonexistent/node ENOENT', status: 71 });
  assert.deepEqual(await never.ended, { status: null, signal: null });
  assert.deepEqual(await never.figures(), []);
});
