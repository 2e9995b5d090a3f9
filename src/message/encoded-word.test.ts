import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeWords } from './encoded-word.ts';

const wire = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const cases: readonly (readonly [name: string, value: string, text: string])[] = [
  ['no word at all', 'plain.pdf', 'plain.pdf'],
  ['B and Q', '=?utf-8?B?w6k=?= and =?ISO-8859-1?Q?=E9?=', 'é and é'],
  ['underscore is a blank, an encoded one is not', '=?utf-8?q?a_b=5Fc?=', 'a b_c'],
  ['blanks between words vanish, between word and text stay', '=?utf-8?q?a?= \t =?utf-8?q?b?= c', 'ab c'],
  ['a character cut in two by words', '=?utf-8?B?4oI=?= =?UTF-8?B?rA==?=', '€'],
  ['a kanji cut in two in a stateful charset', '=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=', '日本'],
  ['language suffix (RFC 2231 section 5)', '=?us-ascii*en?Q?hello?=', 'hello'],
  ['missing padding', '=?utf-8?B?YWI?=', 'ab'],
  ['blanks inside', '=?utf-8?Q?my file.pdf?=', 'my file.pdf'],
  ['question marks inside', '=?utf-8?Q?Really?.pdf?= =?utf-8?Q?What??=', 'Really?.pdfWhat?'],
  ['no word inside of a word', '=?utf-8?Q?a =?utf-8?Q?b?=', '=?utf-8?Q?a b'],
  ['unknown charset is guessed', '=?x-unknown?Q?caf=C3=A9?=', 'café'],
  ['8 bits under us-ascii', '=?us-ascii?Q?caf=E9?=', 'café'],
  ['latin1 with windows-1252 bytes', '=?iso-8859-1?Q?=80?=', '€'],
  ['Shift_JIS', '=?Shift_JIS?B?k/qWew==?=', '日本'],
  ['unfinished word', '=?utf-8?B?w6k', '=?utf-8?B?w6k'],
  ['unknown encoding', '=?utf-8?X?w6k?=', '=?utf-8?X?w6k?='],
  ['raw UTF-8 beside a word', `${wire('é')} =?utf-8?Q?=C3=A9?=`, 'é é'],
  ['raw 8-bit', 'caf\xe9 \x80', 'café €'],
  ['raw UTF-8 cut in a character', 'caf\xc3\xa9 \xd0', 'café '],
  ['raw UTF-8 of one emoji, cut', 'holiday \xf0\x9f\x98.jpg', 'holiday .jpg'],
  ['raw UTF-8 cut before an extension', '\xd0\x90\xd0\xba\xd1.pdf', 'Ак.pdf'],
  ['raw 8-bit, two broken characters', '\xc3\xa9\xe9\xe8', 'Ã©éè'],
  ['a charset that is an encoding of iconv only', '=?base64?Q?abc?=', 'abc'],
];

for (const [name, value, text] of cases) test(name, () => assert.equal(decodeWords(value), text));

test('hostile lengths take linear time: ten times the bytes, not a hundred times the time', () => {
  for (const piece of ['=?', '=?a?Q?', '=?a?Q?b?= ', '=?a?Q?b ']) {
    // Would take hours if it were quadratic.
    assert.equal(typeof decodeWords(piece.repeat(300_000)), 'string');
  }
});
