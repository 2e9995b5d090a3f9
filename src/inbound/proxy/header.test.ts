import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProxyHeader, type Parsed } from './header.ts';

const signature = '0d0a0d0a000d0a515549540a';

const v1 = (line: string): Buffer => Buffer.from(line, 'latin1');
/** @param command version and command, family and protocol @param body hexadecimal */
function v2(command: string, body: string): Buffer {
  const length = (body.length / 2).toString(16).padStart(4, '0');
  return Buffer.from(signature + command + length + body, 'hex');
}

const tcp4Addresses = 'c0000209' + 'c6336419' + '1234' + '0019';
const tcp6Addresses = '20010db8000000000000000000000009' + '20010db8000000000000000000000019' + '1234' + '0019';

/** On the whole input, and one octet at a time: both must come to the same end at the same octet. */
function parse(wire: Buffer): Parsed {
  const whole = parseProxyHeader(Buffer.concat([wire, Buffer.from('EHLO a\r\n')]));
  for (let octets = 0; octets <= wire.length; octets++) {
    const parsed = parseProxyHeader(wire.subarray(0, octets));
    if (parsed.kind === 'incomplete') continue;
    assert.deepEqual(parsed, whole);
    return parsed;
  }
  assert.equal(whole.kind, 'incomplete');
  return whole;
}

const client = (address: string, length: number): Parsed => ({
  kind: 'complete',
  header: { kind: 'client', address },
  length,
});

test('version 1 names the client', () => {
  const tcp4 = v1('PROXY TCP4 192.0.2.9 198.51.100.25 4660 25\r\n');
  assert.deepEqual(parse(tcp4), client('192.0.2.9', tcp4.length));
  const tcp6 = v1('PROXY TCP6 2001:DB8:0::9 2001:db8::19 4660 25\r\n');
  assert.deepEqual(parse(tcp6), client('2001:db8::9', tcp6.length));
});

test('version 2 names the client, extensions behind it are passed over', () => {
  assert.deepEqual(parse(v2('2111', tcp4Addresses)), client('192.0.2.9', 28));
  assert.deepEqual(parse(v2('2121', tcp6Addresses)), client('2001:db8::9', 52));
  assert.deepEqual(parse(v2('2111', `${tcp4Addresses}0400036162ff`)), client('192.0.2.9', 34));
});

test('an IPv4 client is the same client on a dual-stack balancer', () => {
  const mapped = '00000000000000000000ffffc0000209'.repeat(2);
  assert.deepEqual(parse(v2('2121', `${mapped}12340019`)), client('192.0.2.9', 52));
});

test('UNKNOWN, whatever addresses it carries, names nobody', () => {
  for (const line of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN 127.0.0.1 127.0.0.1 1 2\r\n', 'PROXY UNKNOWN \xff\0x\r\n'])
    assert.deepEqual(parse(v1(line)), { kind: 'complete', header: { kind: 'unknown' }, length: line.length });
  for (const [command, body] of [
    ['2100', ''],
    ['2100', tcp4Addresses],
    ['2112', tcp4Addresses],
    ['2131', '00'.repeat(216)],
  ] as const)
    assert.deepEqual(parse(v2(command, body)), {
      kind: 'complete',
      header: { kind: 'unknown' },
      length: 16 + body.length / 2,
    });
});

test('LOCAL is the balancer itself, whatever addresses it carries', () => {
  assert.deepEqual(parse(v2('2000', '')), { kind: 'complete', header: { kind: 'local' }, length: 16 });
  assert.deepEqual(parse(v2('2011', tcp4Addresses)), { kind: 'complete', header: { kind: 'local' }, length: 28 });
});

test('what is no header is broken as early as it can be told', () => {
  for (const wire of [
    v1('EHLO a\r\n'),
    v1('PROXX'),
    v1('proxy TCP4'),
    v1('\r\n\r\nx'),
    v1('PROXY TCP5 192.0.2.9 198.51.100.25 4660 25\r\n'),
    v1('PROXY TCP4 2001:db8::9 2001:db8::19 4660 25\r\n'),
    v1('PROXY TCP4 192.0.2.9\r\n'),
    v1('PROXY TCP4 192.0.2.9 198.51.100.25 4660 65536\r\n'),
    v1('PROXY TCP4 192.0.2.9 198.51.100.25 4660 25 more\r\n'),
    v1('PROXY TCP4 192.0.2.9 198.51.100.25 4660 25\n\r\n'),
    v2('1111', tcp4Addresses),
    v2('2211', tcp4Addresses),
    v2('2111', tcp4Addresses.slice(0, -2)),
    v2('2121', tcp4Addresses),
  ])
    assert.equal(parse(wire).kind, 'broken', wire.toString('latin1'));
});

test('a header has an end: 107 octets of version 1, 4096 of version 2', () => {
  assert.equal(parse(v1(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`)).kind, 'complete');
  assert.equal(parse(v1(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)).kind, 'broken');
  assert.equal(parseProxyHeader(v1(`PROXY UNKNOWN ${'x'.repeat(200)}`)).kind, 'broken');
  assert.equal(parse(v2('2111', tcp4Addresses + '00'.repeat(4068))).kind, 'complete');
  assert.equal(parse(v2('2111', tcp4Addresses + '00'.repeat(4069))).kind, 'broken');
});
