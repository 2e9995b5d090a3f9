import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/harness/property.ts';
import { HeaderBlock, packed, unfold } from './header-block.ts';

const text = fc
  .array(fc.constantFrom(' ', '\t', '\r\n ', '\r\n\t', '\n ', '\r', '\v', '\f', 'a', ':', '\xa0', 'b'))
  .map((pieces) => pieces.join(''));

const blank = /^[\t-\r ]+|[\t-\r ]+$/g;

/** What they do, said with patterns that would take long on large fields. */
test('unfolding, and taking all blanks away, as the patterns say', () => {
  const check = fc.property(text, (value) => {
    const [field] = HeaderBlock.parse(Buffer.from(`X-A:${value}\r\n`, 'latin1'));
    assert.equal(unfold(field!), `${value}\r\n`.replace(/\r?\n(?=[ \t])/g, '').replace(blank, ''));
    const withoutBlanks = (part: string): string => part.replace(/[ \t\r\n]+/g, '').replace(blank, '');
    assert.equal(packed(field!), withoutBlanks(value));
    assert.equal(packed(field!, 'X-A:'.length + 8), withoutBlanks(value.slice(0, 8)), 'of its first bytes');
  });
  fc.assert(check, { numRuns: 2000 });
});
