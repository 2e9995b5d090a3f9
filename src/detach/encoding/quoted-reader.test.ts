import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import fc from '../../../test/harness/property.ts';
import { cutAt } from '../testing/messages.ts';
import { readEncoded } from '../testing/read-encoded.ts';
import type { DecodedFile } from './reader.ts';
import { maxVeryShortLines, QuotedReader } from './quoted-reader.ts';
import { recipeCost } from './recipe.ts';

const read = (chunks: readonly Buffer[]): ReturnType<typeof readEncoded> => readEncoded(QuotedReader, chunks);

suite('what is read can be written again', () => {
  const cases: Record<string, [encoded: string, decoded: string | undefined]> = {
    empty: ['', ''],
    'plain lines': ['a\r\nb\r\n', 'a\r\nb\r\n'],
    'octets in capitals': ['=C3=A9t=C3=A9', '\xc3\xa9t\xc3\xa9'],
    'octets in both': ['=c3=a9t=C3=a9', '\xc3\xa9t\xc3\xa9'],
    'both in one octet': ['=cA', undefined],
    'all octets in small letters': ['=e9t=e9 =3d', '\xe9t\xe9 ='],
    'needless escapes': ['=41b=41A', 'AbAA'],
    'octets as they are': ['\xe9t\xe9 \0', '\xe9t\xe9 \0'],
    'a soft line break': ['a=\r\nb', 'ab'],
    'a soft line break at the end': ['ab=\r\n', 'ab'],
    'a soft line break that ends with the part': ['ab=', 'ab'],
    'soft and hard': ['a=\r\n\r\nb', 'a\r\nb'],
    'line ends in escapes': ['a=0D=0Ab\r\nc=0D=0Ad', 'a\r\nb\r\nc\r\nd'],
    'LF and CR in escapes': ['a=0Ab=0D\r\n', 'a\nb\r\r\n'],
    'blanks at the end of lines': ['a=20\r\n b \t=\r\n\r\nc=09', 'a \r\n b \t\r\nc\t'],
    'a dot at the beginning': ['=2E\r\n.a\r\n=46rom x', '.\r\n.a\r\nFrom x'],
    'two soft line breaks': ['a=\r\n=\r\nb', undefined],
    'a blank that may have been added': ['a \r\nb', undefined],
    'a blank at the very end': ['a ', undefined],
    'a blank after the soft line break': ['a= \r\nb', undefined],
    'a lone =': ['a=b', undefined],
    'half an escape at the end': ['ab=4', undefined],
    'a lone CR': ['a\rb', undefined],
    'a lone LF': ['a\nb', undefined],
  };
  for (const [title, [encoded, decoded]] of Object.entries(cases))
    test(title, async () => {
      const raw = Buffer.from(encoded, 'latin1');
      const whole = await read([raw]);
      assert.equal(whole.complete, decoded !== undefined);
      if (decoded !== undefined) assert.equal(whole.decoded.toString('latin1'), decoded);
      assert.equal(whole.again, encoded.slice(0, whole.taken));
      const bytewise = await read(cutAt(raw, [...raw.keys()]));
      assert.equal(bytewise.complete, whole.complete);
      assert.equal(bytewise.again, encoded.slice(0, bytewise.taken));
      if (whole.complete) assert.deepEqual(bytewise, whole);
    });
});

test('any mixture of its pieces comes back, however it is cut', async () => {
  const piece = fc.constantFrom(
    'a',
    'xyz',
    ' ',
    '\t',
    '.',
    'From',
    '=\r\n',
    '\r\n',
    '=3D',
    '=e9',
    '=E9',
    '=20',
    '=0D=0A',
    '\xe9',
    '=',
    '\r',
    'b'.repeat(70),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 60 }),
      fc.array(fc.nat(500), { maxLength: 5 }),
      async (pieces, cuts) => {
        const raw = Buffer.from(pieces.join(''), 'latin1');
        const whole = await read([raw]);
        assert.equal(whole.again, raw.toString('latin1', 0, whole.taken));
        const cut = await read(cutAt(raw, cuts));
        assert.equal(cut.complete, whole.complete);
        assert.equal(cut.again, raw.toString('latin1', 0, cut.taken));
        if (whole.complete) assert.deepEqual(cut, whole);
      },
    ),
    { numRuns: 2000 },
  );
});

suite('the ways of common encoders take next to nothing to describe', () => {
  const lines = Array.from({ length: 1200 }, (_, i) => `${'Zeile '.repeat(i % 40)}Größe = ${i};${i % 3 ? '' : ' '}`);
  const text = `${lines.join('\r\n')}\r\n`;
  const python = (script: string): Buffer => {
    const { stdout, status } = spawnSync('python3', ['-c', script], { input: text, maxBuffer: 1e8 });
    assert.equal(status, 0);
    return stdout;
  };
  const encoders: Record<string, () => Buffer> = {
    "Python's binascii": () =>
      python(
        'import sys,binascii; sys.stdout.buffer.write(b"\\r\\n".join(binascii.b2a_qp(l) for l in sys.stdin.buffer.read().split(b"\\r\\n")).replace(b"=\\n",b"=\\r\\n"))',
      ),
    "Python's email": () =>
      python(
        'import sys,email.quoprimime as q; sys.stdout.write(q.body_encode(sys.stdin.buffer.read().decode("latin1"),eol="\\r\\n"))',
      ),
    'lines of 73 and small letters': () => narrow(Buffer.from(text), 73),
  };
  for (const [title, encoder] of Object.entries(encoders))
    test(title, async () => {
      const raw = encoder();
      const { complete, decoded, again, recipe } = await read([raw]);
      assert.ok(complete);
      assert.equal(decoded.toString(), text);
      assert.equal(again, raw.toString('latin1'));
      assert.ok(recipeCost(recipe) < 200, `${recipeCost(recipe)} bytes`);
    });
});

/** An encoder with habits of its own. */
function narrow(bytes: Buffer, width: number): Buffer {
  const encodeLine = (line: string): string => {
    let out = '';
    let length = 0;
    for (const [i, byte] of Buffer.from(line, 'latin1').entries()) {
      const char = String.fromCharCode(byte);
      const blankAtEnd = char === ' ' && i === line.length - 1;
      const token = /[!-<>-~ ]/.test(char) && !blankAtEnd ? char : `=${byte.toString(16).padStart(2, '0')}`;
      if (length + token.length > width - (i === line.length - 1 ? 0 : 1)) {
        out += '=\r\n';
        length = 0;
      }
      out += token;
      length += token.length;
    }
    return out;
  };
  return Buffer.from(bytes.toString('latin1').split('\r\n').map(encodeLine).join('\r\n'));
}

test('more very short lines than a file may have are not read on, and why is told; as many as that are', () => {
  const lines = (count: number): QuotedReader => {
    const reader = new QuotedReader({ append: () => undefined } as unknown as DecodedFile);
    for (let left = count; left > 0; left -= 10_000) reader.push(Buffer.from('a\r\n'.repeat(Math.min(left, 10_000))));
    return reader;
  };
  const most = lines(maxVeryShortLines);
  assert.deepEqual([most.gaveUp, most.finish()], [undefined, true]);
  const more = lines(maxVeryShortLines + 1);
  assert.deepEqual([more.gaveUp, more.finish(), more.push(Buffer.from('a'))], ['very short lines', false, 0]);
});
