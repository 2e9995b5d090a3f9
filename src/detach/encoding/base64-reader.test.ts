import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { base64, cutAt } from '../testing/messages.ts';
import { readEncoded } from '../testing/read-encoded.ts';
import { Base64Reader } from './base64-reader.ts';

const read = (chunks: readonly Buffer[]): ReturnType<typeof readEncoded> => readEncoded(Base64Reader, chunks);

const bytes = Buffer.from(Array.from({ length: 20_002 }, (_, i) => (i * 7919) >> 3));

suite('what is read can be written again', () => {
  const regular = base64(bytes);
  const cases: Record<string, [encoded: string, decoded: Buffer | undefined]> = {
    'as it should be': [regular, bytes],
    'with a line end after it': [`${regular}\r\n`, bytes],
    empty: ['', Buffer.alloc(0)],
    blank: ['\r\n \r\n', Buffer.alloc(0)],
    'in lines of 4': [base64(bytes, 4), bytes],
    'in lines of 73': [base64(bytes, 73), bytes],
    'in lines of 74': [base64(bytes, 74), bytes],
    'in one line': [base64(bytes, 100_000), bytes],
    'with blanks at the ends of lines': [base64(bytes, 76, ' \r\n'), bytes],
    'with lone CRs': [base64(bytes, 60, '\r'), bytes],
    'with an empty line within': [regular.replace('\r\n', '\r\n\r\n'), bytes],
    'with one line longer': [base64(bytes.subarray(0, 570)) + base64(bytes.subarray(570), 80), bytes],
    'without padding': [regular.replace(/=+$/, ''), bytes],
    'with bits set after the end': ['QR==', Buffer.from('A')],
    'padding on a line of its own': ['QUI\r\n=\r\n', Buffer.from('AB')],
    'a character short': [regular.replace(/.==$/, ''), undefined],
    'with padding within': [`QQ==\r\n${regular}`, undefined],
    'with too much padding': ['QUJD=', undefined],
    'in base64url': [`${regular.slice(0, 7800)}-_-_${regular.slice(7804)}`, undefined],
    'with text after it': [`${regular}\r\n-- \r\nlist footer`, undefined],
    'with text within': [`${regular.slice(0, 7800)}!${regular.slice(7800)}`, undefined],
    'with octets above 127': [`${regular.slice(0, 7800)}\xc4${regular.slice(7800)}`, undefined],
  };
  for (const [title, [encoded, decoded]] of Object.entries(cases))
    test(title, async () => {
      const raw = Buffer.from(encoded, 'latin1');
      const whole = await read([raw]);
      assert.equal(whole.complete, decoded !== undefined);
      if (decoded) assert.deepEqual(whole.decoded, decoded);
      assert.equal(whole.again, encoded.slice(0, whole.taken));
      assert.deepEqual(await read(cutAt(raw, [...raw.keys()])), whole, 'one byte at a time');
      assert.deepEqual(
        await read(
          cutAt(
            raw,
            Array.from({ length: 97 }, (_, i) => i * 281),
          ),
        ),
        whole,
        'in pieces',
      );
    });
});

test('the layout of a large file is small', async () => {
  const { recipe } = await read([Buffer.from(base64(bytes))]);
  assert.ok(JSON.stringify(recipe).length < 100, JSON.stringify(recipe));
});

test('a layout without end is given up', async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => 'A'.repeat((i % 7) + 1)).join('\r\n');
  const { complete, taken, again } = await read([Buffer.from(lines)]);
  assert.ok(!complete && taken < lines.length);
  assert.equal(again, lines.slice(0, taken));
});
