import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../test/harness/property.ts';
import { LooseBase64, LooseQuoted, type LooseDecoder } from './loose-decoder.ts';

function decodeIn(decoder: LooseDecoder, text: string, step: number): string {
  const out: Buffer[] = [];
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += step) out.push(decoder.decode(bytes.subarray(at, at + step)));
  return Buffer.concat([...out, decoder.end()]).toString('latin1');
}

const plainQuoted = (text: string): string =>
  text.replace(/=(?:[ \t]{0,80}\r?\n|([0-9a-f]{2}))/gi, (_, hex?: string) =>
    hex === undefined ? '' : String.fromCharCode(parseInt(hex, 16)),
  );

const plainBase64 = (text: string): string =>
  Buffer.from(text.replace(/[^A-Za-z0-9+/]+/g, ''), 'base64').toString('latin1');

const pieces = (...all: string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...all), { maxLength: 30 }).map((list) => list.join(''));

test('quoted-printable, whole and one byte at a time', () => {
  fc.assert(
    fc.property(
      pieces('=', '=\r\n', '=4', '1', '=41', '=4g', ' ', '\t', '\r', '\n', 'a', '=\n', ' '.repeat(79)),
      (text) => {
        for (const step of [1, 2, 7, 10_000]) assert.equal(decodeIn(new LooseQuoted(), text, step), plainQuoted(text));
      },
    ),
    { numRuns: 2000 },
  );
});

test('base64, whole and one byte at a time', () => {
  fc.assert(
    fc.property(pieces('A', 'Zm9v', '-', '=', '\r\n', '/', '+', 'é', '9'), (text) => {
      for (const step of [1, 2, 7, 10_000]) assert.equal(decodeIn(new LooseBase64(), text, step), plainBase64(text));
    }),
    { numRuns: 2000 },
  );
});
