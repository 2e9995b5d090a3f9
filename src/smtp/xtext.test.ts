import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/harness/property.ts';
import { decodeXtext, encodeXtext } from './xtext.ts';

const bytes = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array).toString('latin1'));

test('whatever is encoded comes back, and stands in printable ASCII without = and blanks', () => {
  fc.assert(
    fc.property(bytes, (text) => {
      const encoded = encodeXtext(text);
      assert.match(encoded, /^[!-<>-~]*$/);
      assert.equal(decodeXtext(encoded), text);
    }),
  );
});

test('what others write', () => {
  const cases: readonly (readonly [xtext: string, decoded: string | undefined])[] = [
    ['', ''],
    ['a+2Bb', 'a+b'],
    ['a+2bb', 'a+b'],
    ['a+3D+20b', 'a= b'],
    ['a=b', 'a=b'],
    ['+2B41', '+41'],
    ['a+', undefined],
    ['a+2', undefined],
    ['a+zz', undefined],
    ['++2B', undefined],
    ['a+0Ab', 'a\nb'],
  ];
  for (const [xtext, decoded] of cases) assert.equal(decodeXtext(xtext), decoded, xtext);
});
