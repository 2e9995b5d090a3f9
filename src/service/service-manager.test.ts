import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLog } from '../detach/testing/lab.ts';
import { privateDirectory } from '../../test/harness/private-directory.ts';
import { ServiceManager } from './service-manager.ts';

/** A `systemd-notify` that writes down what it is told, and with which variables. */
function recorder(): { readonly path: string; readonly told: (count: number) => Promise<string[]> } {
  const directory = privateDirectory('notify');
  const file = join(directory, 'told');
  const program = join(directory, 'systemd-notify');
  writeFileSync(program, `#!/bin/sh\necho "$NOTIFY_SOCKET $SECRET $*" >> ${file}\n`);
  chmodSync(program, 0o755);
  return {
    path: `${directory}:${process.env['PATH']}`,
    told: async (count) => {
      for (;;) {
        const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
        if (lines.length >= count) return lines;
        await delay(20);
      }
    },
  };
}

test('systemd hears of the start, of reloads and of the end, in this order and without the environment', async () => {
  const { path, told } = recorder();
  const manager = new ServiceManager({ NOTIFY_SOCKET: '/run/notify', PATH: path, SECRET: 'x' }, silentLog);
  manager.ready();
  manager.reloading();
  manager.reloadFailed('links.baseUrl: must be a URL\nlinks.port: must be a number');
  manager.stopping();
  assert.deepEqual(await told(4), [
    '/run/notify  READY=1 STATUS=',
    '/run/notify  RELOADING=1',
    '/run/notify  READY=1 STATUS=reload failed: links.baseUrl: must be a URL links.port: must be a number',
    '/run/notify  STOPPING=1',
  ]);
});

test('the watchdog hears of this process, when it is the one that is watched', async (t) => {
  const { path, told } = recorder();
  const watched = {
    NOTIFY_SOCKET: '/run/notify',
    PATH: path,
    WATCHDOG_USEC: '90000',
    WATCHDOG_PID: String(process.pid),
  };
  const manager = new ServiceManager(watched, silentLog);
  manager.ready();
  t.after(() => manager.end());
  const pulse = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(pulse));
  assert.deepEqual((await told(3)).slice(1, 3), ['/run/notify  WATCHDOG=1', '/run/notify  WATCHDOG=1']);
});

test('without systemd nothing is told, and a missing systemd-notify stops nothing', async () => {
  const said: string[] = [];
  const log = { ...silentLog, warn: (event: string) => void said.push(event) };
  new ServiceManager({ PATH: '/nowhere' }, log).ready();
  new ServiceManager({ NOTIFY_SOCKET: '/run/notify', PATH: '/nowhere' }, log).ready();
  while (said.length === 0) await delay(10);
  assert.deepEqual(said, ['systemd-not-told']);
});
