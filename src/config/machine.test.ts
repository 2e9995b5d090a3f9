import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fullName, machineName } from './machine.ts';

const hosts = `127.0.0.1 localhost
# 127.0.1.1 mx.commented.example mx
127.0.1.1\tmx.example.com mx   # set by the installer
192.0.2.1 other.example.com other
`;

test('the full name is the one that the hosts file gives', () => {
  assert.equal(fullName('mx', hosts), 'mx.example.com');
  assert.equal(fullName('other', hosts), 'other.example.com');
  assert.equal(fullName('mx.example.net', hosts), 'mx.example.net');
  assert.equal(fullName('third', hosts), 'third');
  assert.equal(fullName('mx', ''), 'mx');
  assert.equal(fullName('127', hosts), '127');
});

test('a machine name that EHLO could not carry is not taken', () => {
  for (const name of ['my_machine', 'a.b_c.example', '']) assert.equal(fullName(name, hosts), 'localhost');
});

test('this machine has a name', () => {
  assert.notEqual(machineName(), '');
});
