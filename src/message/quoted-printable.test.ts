import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/harness/property.ts';
import { encodeQuotedPrintable } from './quoted-printable.ts';

/** RFC 2045 section 6.7, for what is known to be right. */
const decode = (encoded: string): Buffer => {
  const joined = encoded.replaceAll('=\r\n', '');
  return Buffer.from(
    joined.replace(/=(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  );
};

const text = fc
  .array(fc.oneof(fc.constantFrom('a', ' ', '\t', '=', '.', '\r\n', '\r', '\n', 'é'), fc.string({ maxLength: 120 })))
  .map((pieces) => Buffer.from(pieces.join('')));

test('lines have at most 76 characters, end in no blank, and reading gives the same bytes', () => {
  fc.assert(
    fc.property(text, fc.boolean(), (bytes, continues) => {
      const encoded = encodeQuotedPrintable(bytes, { continues });
      assert.match(encoded, /^[\t\x20-\x7e\r\n]*$/);
      const lines = encoded.split('\r\n');
      for (const line of lines) assert.doesNotMatch(line, /[\t ]$|[\r\n]/);
      assert.ok(Math.max(...lines.map((line) => line.length)) <= 76);
      assert.ok(!continues || lines.at(-1)!.length <= 75);
      assert.deepEqual(decode(encoded), bytes);
    }),
  );
});

test('a soft line break never parts an escape', () => {
  for (let before = 60; before < 80; before++) {
    const encoded = encodeQuotedPrintable(Buffer.from(`${'a'.repeat(before)}é${'b'.repeat(80)}`));
    assert.doesNotMatch(encoded, /=[0-9A-F]?=?\r\n(?<!=\r\n)/);
    assert.match(encoded.replaceAll('=\r\n', ''), /^a+=C3=A9b+$/);
  }
});
