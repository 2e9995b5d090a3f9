import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOwnListener } from './mirror.ts';

const cases: readonly (readonly [listener: string, remote: string, port: number, own: boolean])[] = [
  ['127.0.0.1', '127.0.0.1', 10025, true],
  ['127.0.0.1', '::ffff:127.0.0.1', 10025, true],
  ['127.0.0.1', '127.0.0.1', 25, false],
  ['127.0.0.1', '127.0.0.2', 10025, false],
  ['0.0.0.0', '127.0.0.5', 10025, true],
  ['::', '127.0.0.1', 10025, true],
  ['::', '::1', 10025, true],
  ['0.0.0.0', '192.0.2.1', 10025, false],
  ['::1', '0:0:0:0:0:0:0:1', 10025, true],
  ['::ffff:127.0.0.1', '127.0.0.1', 10025, true],
  ['::', '::127.0.0.1', 10025, false],
  ['fe80::1', 'FE80::1%eth0', 10025, true],
];

for (const [listener, remote, port, own] of cases) {
  test(`${remote} port ${port} is ${own ? '' : 'not '}the listener at ${listener} port 10025`, () => {
    assert.equal(isOwnListener([{ address: listener, port: 10025 }], { address: remote, port }), own);
  });
}
