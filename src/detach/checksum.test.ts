import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { test } from 'node:test';
import { Checksum } from './checksum.ts';

function checksum(...chunks: readonly Buffer[]): string {
  const sum = new Checksum();
  for (const chunk of chunks) sum.update(chunk);
  return sum.digest();
}

test('the checksum of nothing is that of test case 1 of the GCM specification', () => {
  assert.equal(checksum(), '58e2fccefa7e3061367f1d57a4e7455a');
  assert.equal(checksum(Buffer.alloc(0)), '58e2fccefa7e3061367f1d57a4e7455a');
});

test('however the bytes are cut, the checksum is the tag that one call of AES-GCM gives', () => {
  const bytes = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7919) >> 3));
  const whole = createCipheriv('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12)).setAAD(bytes);
  whole.final();
  const expected = whole.getAuthTag().toString('hex');
  for (const size of [1, 7, 15, 16, 17, 31, 1000, 3000]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    assert.equal(checksum(...chunks), expected, `cut every ${size} bytes`);
  }
});

test('one bit more or less is another checksum', () => {
  const bytes = Buffer.alloc(1000, 'x');
  const before = checksum(bytes);
  bytes[999]! ^= 1;
  assert.notEqual(checksum(bytes), before);
  assert.notEqual(checksum(bytes.subarray(0, 999)), before);
});

test('openssl computes the same on the command line, as docs/restore.md says', () => {
  const args = ['-macopt', `hexkey:${'0'.repeat(32)}`, '-macopt', `hexiv:${'0'.repeat(24)}`];
  const said = execFileSync('openssl', ['mac', '-cipher', 'AES-128-GCM', ...args, '-in', '-', 'GMAC'], {
    input: 'a body\r\n',
    encoding: 'latin1',
  });
  assert.equal(said.trim().toLowerCase(), checksum(Buffer.from('a body\r\n')));
});
