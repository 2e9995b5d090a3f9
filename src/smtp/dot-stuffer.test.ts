import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/harness/property.ts';
import { DotStuffer } from './dot-stuffer.ts';

function stuff(chunks: Iterable<Buffer>): string {
  const stuffer = new DotStuffer();
  const out = [...chunks].map((chunk) => stuffer.push(chunk));
  return Buffer.concat([...out, stuffer.end()]).toString('latin1');
}

/** What a receiver does (RFC 5321 section 4.5.2), octet by octet: the message, and what stands after the final dot. */
function unstuff(wire: string, isLineEnd: (before: string) => boolean): { message: string; rest: string } {
  let message = '';
  for (let i = 0; i < wire.length; i++) {
    const atLineStart = i === 0 || isLineEnd(wire.slice(Math.max(0, i - 2), i));
    if (atLineStart && wire[i] === '.') {
      if (wire.startsWith('.\r\n', i)) return { message, rest: wire.slice(i + 3) };
      i++;
    }
    message += wire[i] ?? '';
  }
  return assert.fail('no final dot');
}

const strict = (before: string): boolean => before.endsWith('\r\n');
const lax = (before: string): boolean => before.endsWith('\n');

const cases: readonly (readonly [message: string, wire: string])[] = [
  ['', '.\r\n'],
  ['a\r\n', 'a\r\n.\r\n'],
  ['a', 'a\r\n.\r\n'],
  ['.', '..\r\n.\r\n'],
  ['.\r\n', '..\r\n.\r\n'],
  ['..\r\n', '...\r\n.\r\n'],
  ['a.b\r\n.c\r\n', 'a.b\r\n..c\r\n.\r\n'],
  ['\r\n.\r\n.\r\n', '\r\n..\r\n..\r\n.\r\n'],
  ['\r\n\r\n', '\r\n\r\n.\r\n'],
  ['a\r', 'a\r\r\n.\r\n'],
  ['a\n', 'a\n\r\n.\r\n'],
  ['a\n.\r\n', 'a\n..\r\n.\r\n'],
  ['a\r.\r\n', 'a\r.\r\n.\r\n'],
];

for (const [message, wire] of cases) {
  test(`${JSON.stringify(message)} becomes ${JSON.stringify(wire)}`, () => {
    const bytes = Buffer.from(message, 'latin1');
    assert.equal(stuff([bytes]), wire);
    assert.equal(stuff([...bytes].map((octet) => Buffer.of(octet))), wire);
  });
}

test('one stuffer serves one message after the other', () => {
  const stuffer = new DotStuffer();
  stuffer.push(Buffer.from('a'));
  stuffer.end();
  assert.equal(stuffer.push(Buffer.from('.b')).toString(), '..b');
});

test('a chunk without a dot at a line start is not copied', () => {
  const chunk = Buffer.from('a.b\r\nc\r\n');
  assert.equal(new DotStuffer().push(chunk), chunk);
});

test('dots far apart and close together, around the distance where the search changes', () => {
  for (let gap = 60; gap < 72; gap++) {
    const lines = [gap, gap, 0, 0, 1, gap + 1, 500, 2, gap].map((n) => `.${'x'.repeat(n)}\r\n`);
    const message = lines.join('');
    const wire = `${lines.map((line) => `.${line}`).join('')}.\r\n`;
    assert.equal(stuff([Buffer.from(message)]), wire);
    assert.equal(stuff([...Buffer.from(message)].map((octet) => Buffer.of(octet))), wire);
  }
});

const nasty = fc.array(fc.constantFrom('.', '\r', '\n', '\r\n', '\r\n.', '\r\n.\r\n', 'a', '\xff'), { maxLength: 30 });

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
}

test('any chunking gives the same', () => {
  fc.assert(
    fc.property(nasty, fc.array(fc.nat()), (pieces, cuts) => {
      const bytes = Buffer.from(pieces.join(''), 'latin1');
      assert.equal(stuff(cut(bytes, cuts)), stuff([bytes]));
    }),
    { numRuns: 5000 },
  );
});

test('a message of CRLF lines comes out as it went in, and nothing is left after its dot', () => {
  // As it comes from inbound: no bare LF, CRLF at the end. A bare CR may stand anywhere else.
  const line = fc.string({ unit: fc.constantFrom('.', 'a', '\r', '\xff'), maxLength: 4 }).map((s) => `${s}\r\n`);
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const message = lines.join('');
      const wire = stuff([Buffer.from(message, 'latin1')]);
      assert.deepEqual(unstuff(wire, strict), { message, rest: '' });
      assert.deepEqual(unstuff(wire, lax), { message, rest: '' });
    }),
    { numRuns: 5000 },
  );
});

test('no message whatsoever ends before its final dot, not even for a receiver that takes a bare LF', () => {
  fc.assert(
    fc.property(nasty, (pieces) => {
      const message = pieces.join('');
      const wire = stuff([Buffer.from(message, 'latin1')]);
      assert.equal(unstuff(wire, strict).rest, '');
      const seen = unstuff(wire, lax);
      assert.equal(seen.rest, '');
      assert.ok(seen.message === message || seen.message === `${message}\r\n`);
      assert.equal(`\r\n${wire}`.indexOf('\r\n.\r\n'), wire.length - 3);
    }),
    { numRuns: 5000 },
  );
});
