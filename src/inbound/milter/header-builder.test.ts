import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderBuilder } from './header-builder.ts';
import { MilterError } from './milter-error.ts';
import { say } from './testing/mail-server.ts';

const limits = { maxHeaderBytes: 10_000, maxHeaderFields: 100 };

function built(packets: readonly Buffer[], space: '' | ' ' = ''): string {
  const builder = new HeaderBuilder(limits);
  assert.equal(builder.add(Buffer.concat(packets), space), packets.length);
  return builder.full ? 'full' : builder.build().toString('latin1');
}

test('fields with the space that the server left or took, and line ends that become CRLF', () => {
  const long = 'x'.repeat(3000);
  const packets = [say.header('A', ' b'), say.header('', ''), say.header('Long', `${long}\n ${long}`)];
  assert.equal(built(packets), `A: b\r\n:\r\nLong:${long}\r\n ${long}\r\n`);
  assert.equal(built([say.header('A', 'b')], ' '), 'A: b\r\n');
  assert.equal(built([say.header('A', '\n\r\n\n')]), 'A:\r\n\r\n\r\n\r\n');
  assert.equal(built([say.header('A', '\r')]), 'A:\r\r\n');
});

test('a field beyond the limits: nothing is kept, and nothing more is added', () => {
  const fits = say.header('A', 'x'.repeat(limits.maxHeaderBytes - 'A:\r\n'.length));
  assert.equal(built([fits]).length, limits.maxHeaderBytes);
  assert.equal(built([fits, say.header('', '')]), 'full');
  assert.equal(built([say.header('A', 'x'.repeat(limits.maxHeaderBytes))]), 'full');
  assert.equal(built([say.header('A', '\n'.repeat(limits.maxHeaderBytes / 2))]), 'full');
  const most = Array.from({ length: limits.maxHeaderFields }, () => say.header('a', ''));
  assert.equal(built(most).length, 4 * most.length);
  assert.equal(built([...most, say.header('a', '')], ' '), 'full');
});

test('it grows as was said before', () => {
  const builder = new HeaderBuilder(limits);
  const packets = say.header('A', 'x'.repeat(5000));
  const expected = builder.size + builder.growth(packets.length);
  builder.add(packets, ' ');
  assert.equal(builder.size, expected);
  builder.drop();
  assert.deepEqual([builder.size, builder.growth(5000)], [0, 0]);
});

test('fields that are cut short', () => {
  for (const field of ['', 'Subject', 'Subject\0', 'Subject\0x'])
    assert.throws(() => built([say.raw('L', field), say.header('A', 'b')]), MilterError, JSON.stringify(field));
});
