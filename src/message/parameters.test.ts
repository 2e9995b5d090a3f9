import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../test/harness/property.ts';
import { parseContentType, parseDisposition } from './parameters.ts';

const wire = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

type Case = readonly [name: string, value: string, params: Readonly<Record<string, string>>];

const names: readonly Case[] = [
  ['none', 'attachment', {}],
  ['quoted', 'attachment; filename="a b.pdf"; size=12', { filename: 'a b.pdf', size: '12' }],
  ['names without case', 'attachment; FileName=a.pdf', { filename: 'a.pdf' }],
  ['blanks around everything', 'attachment ;\tfilename = "a.pdf" ; ', { filename: 'a.pdf' }],
  ['escaped quote and backslash', 'a; filename="a\\"b\\\\c.pdf"', { filename: 'a"b\\c.pdf' }],
  ['Windows path: the backslashes are meant', 'a; filename="C:\\temp\\a.pdf"', { filename: 'C:\\temp\\a.pdf' }],
  ['unescaped quotes', 'a; filename="a "b" c.pdf"; x=y', { filename: 'a "b" c.pdf', x: 'y' }],
  ['no closing quote', 'a; filename="a; b=c', { filename: 'a; b=c' }],
  ['no quotes, with blanks', 'a; filename=my report final.pdf; x=y', { filename: 'my report final.pdf', x: 'y' }],
  ['no quotes, a parenthesis in the middle', 'a; filename=report (1).pdf', { filename: 'report (1).pdf' }],
  ['a comment at the end', 'a; filename=report.pdf (a; b) ; x=y', { filename: 'report.pdf', x: 'y' }],
  ['a comment after quotes', 'a; filename="r.pdf" (a "b; c) ; x=y', { filename: 'r.pdf', x: 'y' }],
  ['a comment before the name', 'a; (hello; a=b) filename=r.pdf', { filename: 'r.pdf' }],
  ['nested and escaped comments', 'a (b (c) \\) d); filename=r.pdf', { filename: 'r.pdf' }],
  ['a parenthesis that never closes', 'a; filename=report (1.pdf; x=y', { filename: 'report (1.pdf', x: 'y' }],
  ['no semicolon between', 'a; name="a.pdf" charset=utf-8', { name: 'a.pdf', charset: 'utf-8' }],
  ['no semicolon before the first', 'a name="a.pdf"', {}],
  ['the first of two', 'a; name=a.pdf; name=b.pdf', { name: 'a.pdf' }],
  ['empty ones', 'a;;; =x; name=; b', { name: '' }],
  ['raw UTF-8', `a; name="${wire('é€.pdf')}"`, { name: 'é€.pdf' }],
  ['raw 8-bit', 'a; name="\xe9.pdf"', { name: 'é.pdf' }],
  ['raw UTF-8 that ends in A0', 'a; name=\xd0\xa0', { name: 'Р' }],
  ['RFC 2047 in quotes', 'a; name="=?utf-8?B?w6ku?= =?utf-8?Q?pdf?="', { name: 'é.pdf' }],
  ['RFC 2047 without quotes', 'a; name==?utf-8?Q?=C3=A9.pdf?=; x=y', { name: 'é.pdf', x: 'y' }],
  ['RFC 2231', "a; filename*=UTF-8'en'%e2%82%ac%20rates.pdf", { filename: '€ rates.pdf' }],
  ['RFC 2231 in Latin-1', "a; filename*=iso-8859-1''%A3.pdf", { filename: '£.pdf' }],
  ['RFC 2231 in quotes', 'a; filename*="UTF-8\'\'%e2%82%ac.pdf"', { filename: '€.pdf' }],
  ['RFC 2231 without charset', 'a; filename*=%e2%82%ac.pdf', { filename: '€.pdf' }],
  ['RFC 2231 with an empty charset', "a; filename*=''%e9.pdf", { filename: 'é.pdf' }],
  ['RFC 2231 in an unknown charset', "a; filename*=x-martian''%e2%82%ac.pdf", { filename: '€.pdf' }],
  ['RFC 2231 with broken percents', "a; filename*=utf-8''100%25%zz%4.pdf", { filename: '100%%zz%4.pdf' }],
  [
    'continuations, mixed, in any order, a character cut in two',
    'a; filename*1*=%AC; filename*2="%20.pdf"; filename*0*=UTF-8\'\'%E2%82',
    { filename: '€%20.pdf' },
  ],
  [
    'continuations over ten',
    `a${Array.from({ length: 12 }, (_, i) => `; n*${i}=${String.fromCharCode(97 + i)}`).join('')}`,
    { n: 'abcdefghijkl' },
  ],
  ['continuations with RFC 2047', 'a; name*0="=?utf-8?B?w6k"; name*1="=?=.pdf"', { name: 'é.pdf' }],
  ['continuations with a gap and a double', 'a; n*0=a; n*2=c; n*2=d', { n: 'ac' }],
  ['the extended form wins, wherever it stands', "a; name*=utf-8''%C3%A9; name=e; name*0=x", { name: 'é' }],
  ['continuations win over the plain form', 'a; name=e; name*0=x; name*1=y', { name: 'xy' }],
];

describe('parameters', () => {
  for (const [name, value, params] of names) {
    test(name, () => assert.deepEqual(Object.fromEntries(parseDisposition(value).params), params));
  }

  test('the disposition and the type', () => {
    assert.equal(parseDisposition(' ATTACHMENT (really); x=y').disposition, 'attachment');
    assert.equal(parseContentType('Text / Plain (a; b) ; charset=utf-8 (unicode)').type, 'text/plain');
    assert.equal(parseContentType('Text/Plain ; charset=utf-8 (unicode)').params.get('charset'), 'utf-8');
    assert.equal(parseContentType('').type, '');
    assert.equal(parseContentType('text').type, 'text');
  });

  test('a boundary is a byte string, found in the body as it stands', () => {
    assert.equal(parseContentType('multipart/mixed; boundary="=?utf-8?Q?a?="').params.get('boundary'), '=?utf-8?Q?a?=');
    assert.equal(parseContentType('multipart/mixed; boundary="\xc3\xa9"').params.get('boundary'), '\xc3\xa9');
    assert.equal(parseContentType("multipart/mixed; boundary*=utf-8''%C3%A9").params.get('boundary'), '\xc3\xa9');
    assert.equal(parseContentType('multipart/mixed; boundary="a\\"b c"').params.get('boundary'), 'a"b c');
    assert.equal(parseContentType('multipart/mixed; boundary=a(b)c').params.get('boundary'), 'a(b)c');
  });

  test('what is written by the rules is read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (name) => {
        const bytes = Buffer.from(name);
        const percent = Array.from(bytes, (b) => `%${b.toString(16).padStart(2, '0')}`);
        assert.equal(parseDisposition(`a; filename*=utf-8''${percent.join('')}; x=y`).params.get('filename'), name);
        const word = `=?utf-8?B?${bytes.toString('base64')}?=`;
        assert.equal(parseDisposition(`a; filename="${word}"; x=y`).params.get('filename'), name);
        const pieces = percent.map((p, i) => `; filename*${i}*=${i === 0 ? "utf-8''" : ''}${p}`);
        if (pieces.length > 0)
          assert.equal(parseDisposition(`a${pieces.reverse().join('')}`).params.get('filename'), name);
      }),
    );
  });

  test('anything is read without a throw', () => {
    const soup = fc.array(
      fc.constantFrom(
        '"',
        '\\',
        '(',
        ')',
        ';',
        '=',
        "'",
        '*',
        '0',
        '1',
        '%',
        'a',
        ' ',
        '\xe9',
        '=?',
        '?=',
        '?q?',
        'name',
        'utf-8',
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(soup, (pieces) => {
        for (const text of parseContentType(pieces.join('')).params.values()) assert.equal(typeof text, 'string');
      }),
      { numRuns: 2000 },
    );
  });

  test('hostile lengths end: half a million of anything', () => {
    for (const piece of [
      '"',
      '(',
      ')',
      '()',
      '(((("',
      ';',
      'a=',
      'a="b"',
      'a="b" ',
      'a=(',
      ';a*0*=',
      '\\',
      'a="\\"x',
      '" ',
      ' (a) ',
      "'",
    ]) {
      // Would take an hour if it were quadratic.
      const value = `a;${piece.repeat(Math.ceil(500_000 / piece.length))}`;
      assert.equal(parseDisposition(value).disposition.startsWith('a'), true);
    }
  });
});
