import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeHarmful, escapeJson, onOneLine, squeezedOnOneLine } from './one-line.ts';

const harmful = [
  '\0',
  '\t',
  '\r',
  '\n',
  '\x1b',
  '\x7f',
  '\x9b',
  '\u061c',
  '\u200e',
  '\u2028',
  '\u202e',
  '\u2069',
  '\ufeff',
];

test('what could command a terminal, look like another line or turn one around becomes a blank', () => {
  for (const char of harmful) assert.equal(onOneLine(`a${char}b${char}`), 'a b ');
  const innocent = 'Grüße, 日本語 👩‍👩‍👧 a\u00a0b';
  assert.equal(onOneLine(innocent), innocent);
});

test('several together become one, and blanks of the text stay as they are', () => {
  assert.equal(squeezedOnOneLine('\n a\r\n\tb  c\n'), 'a b  c');
});

test('or is shown by its number', () => {
  for (const char of harmful) assert.match(escapeHarmful(`a${char}b`), /^a\\u[0-9a-f]{4}b$/);
});

test('in JSON it stays the same value', () => {
  for (const char of harmful) {
    const written = escapeJson(JSON.stringify({ name: `a${char}${char}b` }));
    assert.equal(onOneLine(written), written);
    assert.deepEqual(JSON.parse(written), { name: `a${char}${char}b` });
  }
});
