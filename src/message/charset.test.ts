import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLabelled, findCharset } from './charset.ts';

test('labels as mail has them', () => {
  const known: readonly (readonly [label: string, bytes: string, text: string])[] = [
    ['UTF-8', '\xc3\xa9', 'é'],
    ['cp65001', '\xc3\xa9', 'é'],
    [' ISO-8859-8-I ', '\xf9', 'ש'],
    ['iso-8859-6-e', '\xc7', 'ا'],
    ['ks_c_5601-1987', '\xb0\xa1', '가'],
    ['uhc', '\x81\x41', '갂'],
    ['x-sjis', '\x93\xfa', '日'],
    ['x-euc-jp', '\xc6\xfc', '日'],
    ['cp50220', '\x1b$BF|\x1b(B', '日'],
    ['ISO-2022-JP-MS', '\x1b$BF|\x1b(B', '日'],
    ['x-mac-roman', '\x8e', 'é'],
    ['tis-620', '\xa1', 'ก'],
    ['koi8-u', '\xa4', 'є'],
    ['iso-8859-1', '\x80', '€'],
    ['us-ascii', '\xc3\xa9', 'é'],
    ['x-martian', '\xe9', 'é'],
  ];
  for (const [label, bytes, text] of known)
    assert.equal(decodeLabelled(Buffer.from(bytes, 'latin1'), label), text, label);
});

test('what is no charset is none', () => {
  for (const label of ['', 'base64', 'hex', 'binary', '../x', 'x-martian', 'a'.repeat(100), 'utf-8;', 'constructor'])
    assert.equal(findCharset(label), undefined, label);
});
