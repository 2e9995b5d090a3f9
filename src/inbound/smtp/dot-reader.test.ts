import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../test/harness/property.ts';
import { DotReader } from './dot-reader.ts';

interface Read {
  readonly content: string;
  readonly remainder: string | undefined;
  readonly smuggling: boolean;
}

function read(chunks: readonly Buffer[]): Read {
  const reader = new DotReader();
  let content = '';
  let remainder: string | undefined;
  for (const chunk of chunks) {
    if (remainder !== undefined) {
      remainder += chunk.toString('latin1');
      continue;
    }
    const result = reader.feed(chunk);
    content += result.content.toString('latin1');
    remainder = result.remainder?.toString('latin1');
  }
  return { content, remainder, smuggling: reader.smuggling };
}

const whole = (wire: string): Read => read([Buffer.from(wire, 'latin1')]);
const bytewise = (wire: string): Read => read([...Buffer.from(wire, 'latin1')].map((byte) => Buffer.from([byte])));

/** What stands on the wire, what the message is, what comes after it, and whether it must be refused. */
const cases: readonly (readonly [wire: string, content: string, remainder: string | undefined, smuggling: boolean])[] =
  [
    ['.\r\n', '', '', false],
    ['\r\n.\r\n', '\r\n', '', false],
    ['a\r\n.\r\nQUIT\r\n', 'a\r\n', 'QUIT\r\n', false],
    ['..\r\n.\r\n', '.\r\n', '', false],
    ['a\r\n..b\r\n.\r\n', 'a\r\n.b\r\n', '', false],
    ['a\r\n...\r\n.\r\n', 'a\r\n..\r\n', '', false],
    ['.x\r\n.\r\n', 'x\r\n', '', false],
    ['a.\r\nb\r\n.\r\n', 'a.\r\nb\r\n', '', false],
    ['a\rb\r\r\n.\r\n', 'a\rb\r\r\n', '', false],
    ['a\r.b\r\n.\r\n', 'a\r.b\r\n', '', false],
    ['a\nb\r\n.\r\n', 'a\nb\r\n', '', true],
    ['a\n.\r\nMAIL FROM:<x>\r\n\r\n.\r\n', 'a\n.\r\nMAIL FROM:<x>\r\n\r\n', '', true],
    ['a\n.\nb\r\n.\r\n', 'a\n.\nb\r\n', '', true],
    ['a\r\n.\nb\r\n.\r\n', 'a\r\n\nb\r\n', '', true],
    ['a\r.\r\nb\r\n.\r\n', 'a\r.\r\nb\r\n', '', true],
    ['a\r.\rb\r\n.\r\n', 'a\r.\rb\r\n', '', true],
    ['a\r\n.\rb\r\n.\r\n', 'a\r\n\rb\r\n', '', true],
    ['\n.\r\n\r\n.\r\n', '\n.\r\n\r\n', '', true],
    ['a\r\n.', 'a\r\n', undefined, false],
    ['.a\r.\rb\r\n.\r\n', 'a\r.\rb\r\n', '', true],
    ['a\r.b.\r.\rc\r\n.\r\n', 'a\r.b.\r.\rc\r\n', '', true],
    ['a\r\nb\r\nc\nd\r\n.\r\n', 'a\r\nb\r\nc\nd\r\n', '', true],
    ['a\r\nb\r\n\n.\r\n.\r\n', 'a\r\nb\r\n\n.\r\n', '', true],
    ['a\r\nb\n', 'a\r\nb\n', undefined, true],
    ['a\0b\0\0c\r\n.\r\n', 'a\0b\0\0c\r\n', '', false],
    ['a\r\n.\r\n\0', 'a\r\n', '\0', false],
    ['a\r\n\0.\r\nb\r\n.\r\n', 'a\r\n\0.\r\nb\r\n', '', true],
    ['a\r\n..\0\r\nb\r\n.\r\n', 'a\r\n.\0\r\nb\r\n', '', true],
    ['a\r\0\nb\r\n.\r\n', 'a\r\0\nb\r\n', '', true],
    ['a\r\n.\0b\r\n.\r\n', 'a\r\n\0b\r\n', '', true],
    ['\0a\r\n.\r\n', '\0a\r\n', '', true],
    ['a\0\r\n.\r\n', 'a\0\r\n', '', true],
    ['a.\0b\r\n.\r\n', 'a.\0b\r\n', '', true],
  ];

for (const [wire, content, remainder, smuggling] of cases) {
  test(`reads ${JSON.stringify(wire)}`, () => {
    assert.deepEqual(whole(wire), { content, remainder, smuggling });
    assert.deepEqual(bytewise(wire), { content, remainder, smuggling });
  });
}

test('any way of cutting the wire gives the same result', () => {
  const wire = fc.array(fc.constantFrom('\r', '\n', '.', '\0', 'a', '\r\n', '\r\n.\r\n', '..'), { maxLength: 30 });
  fc.assert(
    fc.property(wire, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 60, maxLength: 60 }), (parts, sizes) => {
      const bytes = Buffer.from(parts.join(''), 'latin1');
      const chunks: Buffer[] = [];
      for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
        const size = sizes[cut % sizes.length] ?? 1;
        chunks.push(bytes.subarray(at, at + size));
        at += size;
      }
      const expected = bytewise(parts.join(''));
      const actual = read(chunks);
      assert.equal(actual.remainder, expected.remainder);
      // Without an end, how much is held back and judged depends on the cut.
      if (expected.remainder !== undefined) assert.deepEqual(actual, expected);
    }),
    { numRuns: 2000 },
  );
});
