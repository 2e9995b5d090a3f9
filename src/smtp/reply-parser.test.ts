import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/harness/property.ts';
import { formatReply, type Reply } from './reply.ts';
import { ReplyParser, ReplySyntaxError } from './reply-parser.ts';

interface Outcome {
  readonly replies: Reply[];
  readonly error?: string;
}

function parse(chunks: Iterable<Buffer>): Outcome {
  const parser = new ReplyParser();
  const replies: Reply[] = [];
  try {
    for (const chunk of chunks) parser.push(chunk, (reply) => replies.push(reply));
    return { replies };
  } catch (error) {
    assert.ok(error instanceof ReplySyntaxError);
    return { replies, error: error.message };
  }
}

/** The whole input and one octet at a time must give the same. */
function parseBothWays(wire: string): Outcome {
  const bytes = Buffer.from(wire, 'latin1');
  const whole = parse([bytes]);
  assert.deepEqual(parse([...bytes].map((octet) => Buffer.of(octet))), whole);
  return whole;
}

const good: readonly (readonly [wire: string, ...replies: Reply[]])[] = [
  ['250 2.1.0 Ok\r\n', { code: 250, lines: ['2.1.0 Ok'] }],
  ['250-a\r\n250-\r\n250 c\r\n', { code: 250, lines: ['a', '', 'c'] }],
  ['354\r\n', { code: 354, lines: [''] }],
  ['250 \r\n', { code: 250, lines: [''] }],
  ['250  two blanks \r\n', { code: 250, lines: [' two blanks '] }],
  ['250 a\n550 b\n', { code: 250, lines: ['a'] }, { code: 550, lines: ['b'] }],
  ['550 5.1.1 <\xc3\xa9\xff> \t?\r\n', { code: 550, lines: ['5.1.1 <\xc3\xa9\xff> \t?'] }],
  ['250 a\r\n250 half', { code: 250, lines: ['a'] }],
  [`250 ${'x'.repeat(4090)}\r\n`, { code: 250, lines: ['x'.repeat(4090)] }],
];

for (const [wire, ...replies] of good) {
  test(`reads ${JSON.stringify(wire.slice(0, 40))}`, () => assert.deepEqual(parseBothWays(wire), { replies }));
}

const bad: readonly (readonly [wire: string, error: RegExp])[] = [
  ['\r\n', /not a reply line: ""/],
  ['25 ok\r\n', /not a reply line/],
  ['2500 ok\r\n', /not a reply line/],
  ['150 ok\r\n', /not a reply line/],
  ['650 ok\r\n', /not a reply line/],
  ['250_ok\r\n', /not a reply line/],
  ['250 a\r250 b\r\n', /not a reply line/],
  ['250 a\0b\r\n', /not a reply line/],
  ['250-a\r\n251 b\r\n', /changes its code from 250 to 251/],
  [`250 ${'x'.repeat(4091)}\r\n`, /longer than 4096 octets/],
  ['x'.repeat(5000), /longer than 4096 octets/],
  [`250-${'x'.repeat(2000)}\r\n`.repeat(40), /reply is longer than 65536 octets/],
];

for (const [wire, error] of bad) {
  test(`refuses ${JSON.stringify(wire.slice(0, 40))}`, () => {
    const outcome = parseBothWays(`250 before\r\n${wire}`);
    assert.deepEqual(outcome.replies, [{ code: 250, lines: ['before'] }], 'what came before it is not lost');
    assert.match(outcome.error ?? '', error);
  });
}

const text = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((octet) => String.fromCharCode(octet)) });
const reply = fc
  .tuple(fc.integer({ min: 200, max: 599 }), fc.array(text, { minLength: 1, maxLength: 5 }))
  .map(([code, lines]): Reply => ({ code, lines }));

/** Cuts a buffer at places that are taken from `cuts`. */
function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
}

test('what formatReply writes is read back, wherever it is cut', () => {
  fc.assert(
    fc.property(fc.array(reply), fc.array(fc.nat()), (replies, cuts) => {
      const wire = Buffer.from(replies.map(formatReply).join(''), 'latin1');
      assert.deepEqual(parse(cut(wire, cuts)), { replies });
    }),
  );
});

test('garbage gives the same however it is cut, and nothing but a syntax error', () => {
  const noise = fc.string({ unit: fc.constantFrom('2', '5', '0', ' ', '-', '\r', '\n', 'x', '\0', '\xff') });
  fc.assert(
    fc.property(noise, fc.array(fc.nat()), (wire, cuts) => {
      const bytes = Buffer.from(wire, 'latin1');
      assert.deepEqual(parse(cut(bytes, cuts)), parse([bytes]));
    }),
    { numRuns: 2000 },
  );
});
