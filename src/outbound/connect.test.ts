import assert from 'node:assert/strict';
import { test } from 'node:test';
import { staysLocal } from './connect.ts';

test('what stays on this machine', () => {
  const tcp = { kind: 'tcp', host: 'b.example', port: 25 } as const;
  const local = (remoteAddress?: string): boolean => staysLocal(tcp, remoteAddress);
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) assert.equal(local(address), true);
  for (const address of ['128.0.0.1', '10.127.0.1', '::ffff:10.0.0.1', '2001:db8::1', undefined]) {
    assert.equal(local(address), false, address);
  }
  assert.equal(staysLocal({ kind: 'unix', path: '/x' }, undefined), true);
});
