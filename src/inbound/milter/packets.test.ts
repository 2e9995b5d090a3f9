import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommand, parsePath, type Command } from './commands.ts';
import { MilterError } from './milter-error.ts';
import { countPackets, lengthBytes, PacketParser } from './packets.ts';
import { maxPacketBytes } from './protocol.ts';
import { say } from './testing/mail-server.ts';

/** Letters and data; of packets of body that follow one another, how many these were. */
function parse(bytes: Buffer, cut: number): string[] {
  const parser = new PacketParser();
  const found: string[] = [];
  let body = '';
  let bodies = 0;
  for (let at = 0; at < bytes.length; at += cut) {
    parser.push(bytes.subarray(at, at + cut));
    for (let packet = parser.next(); packet; packet = parser.next()) {
      if (packet.letter === 'B') {
        body += packet.data.toString('latin1');
        bodies += packet.ended;
        continue;
      }
      if (bodies > 0) found.push(`${bodies} B${body}`);
      [body, bodies] = ['', 0];
      found.push(packet.letter + packet.data.toString('latin1'));
    }
  }
  return found;
}

test('packets are the same however the bytes are cut', () => {
  const body = 'x'.repeat(3000);
  const bytes = Buffer.concat([say.helo('a'), say.body(''), say.body(body), say.quit()]);
  for (const cut of [1, 2, 3, 4, 5, 7, 300, 1000, bytes.length])
    assert.deepEqual(parse(bytes, cut), ['Ha\0', `2 B${body}`, 'Q'], `cut every ${cut}`);
});

test('a packet of body is given as it comes, nothing of it waits', () => {
  const parser = new PacketParser();
  const bytes = say.body('abcdef');
  const given: unknown[] = [];
  for (const piece of [bytes.subarray(0, 7), bytes.subarray(7, 9), bytes.subarray(9)]) {
    parser.push(piece);
    const packet = parser.next();
    given.push(packet && [packet.data.toString(), packet.ended]);
    assert.equal(parser.next(), undefined);
    assert.equal(parser.buffered, 0);
  }
  assert.deepEqual(given, [
    ['ab', 0],
    ['cd', 0],
    ['ef', 1],
  ]);
});

test('a packet that is skipped leaves its letter, and the next one is whole, however the bytes are cut', () => {
  const bytes = Buffer.concat([say.helo('a'), say.header('A', 'x'.repeat(5000)), say.body('b'), say.quit()]);
  for (const cut of [1, 2, 3, 5, 7, 300, 1000]) {
    const parser = new PacketParser();
    const found: string[] = [];
    for (let at = 0; at < bytes.length; at += cut) {
      parser.push(bytes.subarray(at, at + cut));
      for (let packet = parser.next(); packet; packet = parser.next())
        found.push(`${packet.letter}${packet.skipped ? ' skipped' : packet.data.toString('latin1')}`);
      if (parser.expected > 4000) parser.skip();
      assert.ok(parser.buffered < 4000 || cut > 300);
    }
    assert.deepEqual(found, ['Ha\0', 'L skipped', 'Bb', 'Q'], `cut every ${cut}`);
  }
});

test('fields and recipients in a row are one packet each, as far as they are there', () => {
  const field = say.header('A', ' b');
  const rcpt = say.rcpt('b');
  const parser = new PacketParser();
  parser.push(Buffer.concat([field, field, say.quit(), rcpt, rcpt, rcpt, field, field.subarray(0, 6)]));
  const given: unknown[] = [];
  for (let packet = parser.next(); packet; packet = parser.next()) given.push([packet.letter, packet.data]);
  parser.push(Buffer.concat([field.subarray(6), field]));
  for (let packet = parser.next(); packet; packet = parser.next())
    given.push([packet.letter, Buffer.from(packet.data)]);
  assert.deepEqual(given, [
    ['L', Buffer.concat([field, field])],
    ['Q', Buffer.alloc(0)],
    ['R', Buffer.concat([rcpt, rcpt, rcpt])],
    ['L', field],
    ['L', field],
    ['L', field],
  ]);
  assert.equal(countPackets(Buffer.concat([rcpt, rcpt, rcpt])), 3);
});

test('packets of body in a row are one, as far as they are there, and the chunk stays as it was', () => {
  const long = say.body('x'.repeat(100));
  const bytes = Buffer.concat([say.body('a'), say.body(''), long, say.body('b'), say.quit(), say.body('cd')]);
  const parser = new PacketParser();
  const given: unknown[] = [];
  const before = Buffer.from(bytes);
  for (const piece of [bytes.subarray(0, -1), bytes.subarray(-1)]) {
    parser.push(piece);
    for (let packet = parser.next(); packet; packet = parser.next())
      given.push([packet.letter, packet.data.toString(), packet.ended]);
  }
  assert.deepEqual(given, [
    ['B', `a${'x'.repeat(100)}b`, 4],
    ['Q', '', 1],
    ['B', 'c', 0],
    ['B', 'd', 1],
  ]);
  assert.deepEqual(bytes, before);
});

test('what comes with the end of a message stays while the next packet is gathered', () => {
  const parser = new PacketParser();
  const bytes = Buffer.concat([say.endOfMessage('text'), say.header('A', 'x'.repeat(20))]);
  parser.push(bytes.subarray(0, 7));
  assert.equal(parser.next(), undefined);
  parser.push(bytes.subarray(7, 20));
  const { data } = parser.next()!;
  assert.equal(parser.next(), undefined);
  assert.equal(data.toString(), 'text');
});

test('lengths that no packet has', () => {
  assert.throws(() => parse(Buffer.alloc(4), 4), MilterError);
  const long = Buffer.alloc(4);
  long.writeUInt32BE(maxPacketBytes + 1);
  assert.throws(() => parse(long, 1), /2097153 bytes/);
});

test('a packet of many chunks of one byte takes little more than its size', () => {
  const parser = new PacketParser();
  const head = Buffer.alloc(4);
  head.writeUInt32BE(maxPacketBytes);
  parser.push(head);
  const before = process.memoryUsage().heapUsed;
  assert.equal(parser.next(), undefined);
  for (let i = 0; i < maxPacketBytes - 1; i++) {
    parser.push(Buffer.from([0x4c]));
    assert.equal(parser.next(), undefined);
  }
  globalThis.gc?.();
  assert.ok(process.memoryUsage().heapUsed - before < 64 * 1024 * 1024);
  parser.push(Buffer.from([0x4c]));
  assert.equal(parser.next()?.data.length, head.length + maxPacketBytes);
});

test('commands that are cut short or unknown', () => {
  const broken: readonly [string, Buffer][] = [
    ['unknown', say.raw('Z')],
    ['short negotiation', say.raw('O', 'xx')],
    ['no end of a string', say.raw('H', 'abc')],
    ['mail without a path', say.raw('M')],
    ['connect without a family', say.raw('C', 'host\0')],
    ['connect without a port', say.raw('C', 'host\0', '4')],
  ];
  for (const [name, bytes] of broken) {
    const parser = new PacketParser();
    parser.push(bytes);
    assert.throws(
      () => {
        const command = parseCommand(parser.next()!);
        if (command.kind === 'rcpt') parsePath(command.packets.subarray(lengthBytes + 1), 'rcpt');
      },
      MilterError,
      name,
    );
  }
});

const read = (bytes: Buffer): Command => {
  const parser = new PacketParser();
  parser.push(bytes);
  return parseCommand(parser.next()!);
};

/**
 * Symptom: a loop through the sendmail command was not seen, and exempt recipients were not exempt. Cause: Postfix names
 * recipients of mail that did not come by SMTP without brackets, and the first and last letter were taken for them.
 */
test('paths have brackets, whether the server says them or not', () => {
  for (const [said, path] of [
    ['<b@example.org>', '<b@example.org>'],
    ['b@example.org', '<b@example.org>'],
    ['', '<>'],
    ['<>', '<>'],
  ] as const) {
    assert.deepEqual(read(say.mail(said)), { kind: 'mail', mail: { path, parameters: [] } });
    assert.deepEqual(parsePath(say.rcpt(said).subarray(lengthBytes + 1), 'rcpt'), { path, parameters: [] });
  }
});

test('connect: families and addresses', () => {
  assert.deepEqual(read(say.connect('mx', '192.0.2.1', 4025)), {
    kind: 'connect',
    hostname: 'mx',
    address: '192.0.2.1',
    port: 4025,
  });
  assert.deepEqual(read(say.raw('C', 'mx\0', '6', Buffer.from([0, 25]), 'IPv6:2001:db8::1\0')), {
    kind: 'connect',
    hostname: 'mx',
    address: '2001:db8::1',
    port: 25,
  });
  assert.deepEqual(read(say.raw('C', 'localhost\0', 'U')), {
    kind: 'connect',
    hostname: 'localhost',
    address: '',
    port: 0,
  });
});
