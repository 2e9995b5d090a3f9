import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { insertNotice, type Carrier } from './insert.ts';

const notice = { text: 'Files à €日:\n\na.pdf\nhttps://x.example/AAAA\n', html: '<p>à €日</p>\n', names: '' };
const asciiText = 'Files a EUR?:\r\n\r\na.pdf\r\nhttps://x.example/AAAA';
const asciiHtml = '<p>&#224; &#8364;&#26085;</p>';

function insert(
  type: Carrier['type'],
  transferEncoding: string,
  body: string | Buffer,
  params: Record<string, string> = {},
): string | undefined {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
  const before = Buffer.from(bytes);
  const result = insertNotice({ type, transferEncoding, params: new Map(Object.entries(params)), body: bytes }, notice);
  assert.deepEqual(bytes, before, 'the input is not changed');
  return result?.toString('latin1');
}

const text = (encoding: string, body: string | Buffer, params?: Record<string, string>) =>
  insert('text/plain', encoding, body, params);
const html = (encoding: string, body: string | Buffer, params?: Record<string, string>) =>
  insert('text/html', encoding, body, params);

describe('plain text', () => {
  const cases: readonly (readonly [why: string, body: string, expected: string])[] = [
    ['empty', '', `${asciiText}\r\n`],
    ['only line ends', '\r\n\r\n', `\r\n\r\n${asciiText}\r\n`],
    ['no line end at the end', 'Hello', `Hello\r\n\r\n${asciiText}`],
    ['one line end', 'Hello\r\n', `Hello\r\n\r\n${asciiText}\r\n`],
    ['an empty line already', 'Hello\r\n\r\n', `Hello\r\n\r\n${asciiText}\r\n`],
    ['mixed line ends stay', 'a\nb\r\nc\rd\n', `a\nb\r\nc\rd\n\r\n${asciiText}\r\n`],
    ['before the signature', 'Hello\r\n\r\n-- \r\nMe\r\n', `Hello\r\n\r\n${asciiText}\r\n\r\n-- \r\nMe\r\n`],
    ['before the signature, no empty line', 'Hello\r\n-- \r\nMe', `Hello\r\n\r\n${asciiText}\r\n\r\n-- \r\nMe`],
    ['the first of two signatures', 'x\r\n-- \r\nA\r\n-- \r\nB', `x\r\n\r\n${asciiText}\r\n\r\n-- \r\nA\r\n-- \r\nB`],
    ['a signature alone', '-- \r\nMe', `${asciiText}\r\n\r\n-- \r\nMe`],
    ['a separator with nothing after it', 'Hello\r\n-- ', `Hello\r\n\r\n${asciiText}\r\n\r\n-- `],
    ['a quoted signature is none', '> -- \r\n> Me\r\n\r\nHello', `> -- \r\n> Me\r\n\r\nHello\r\n\r\n${asciiText}`],
    [
      'dashes are no signature',
      'Hello\r\n-- x\r\n--- \r\n--\r\n',
      `Hello\r\n-- x\r\n--- \r\n--\r\n\r\n${asciiText}\r\n`,
    ],
  ];
  for (const [why, body, expected] of cases) test(why, () => assert.equal(text('7bit', body), expected));

  test('the encoding is compared without case, and 7bit is the default', () => {
    assert.equal(text(' 7BIT ', 'Hello'), text('', 'Hello'));
    assert.equal(text('8Bit', 'Hello', { charset: 'UTF-8' }), text('binary', 'Hello', { charset: 'utf8' }));
  });

  test('an unknown encoding carries nothing, nor a charset that is unknown or writes ASCII in another way', () => {
    assert.equal(text('x-uuencode', 'Hello'), undefined);
    for (const charset of ['x-martian', 'utf-7', 'utf-32', 'base64', 'hz-gb-2312', 'cp037', '../../x'])
      assert.equal(text('8bit', 'H\xe9llo', { charset }), undefined, charset);
    for (const charset of ['utf-7', 'utf-32']) assert.equal(text('8bit', 'Hello', { charset }), undefined, charset);
  });

  test('ASCII under a label that nobody knows carries ASCII', () => {
    for (const charset of ['x-martian', 'X-UNKNOWN', 'unknown-8bit', 'x-user-defined', '../../x', 'a'.repeat(1000)])
      assert.equal(text('8bit', 'Hello', { charset }), `Hello\r\n\r\n${asciiText}`, charset);
    for (const body of ['\x1b$B%N\x1b(B', '~{<:Ky2;~}', 'H\0e\0l\0l\0o\0'])
      assert.equal(text('8bit', body, { charset: 'x-martian' }), undefined);
  });

  test('without a charset only ASCII is added, whatever stands there', () => {
    assert.equal(text('8bit', 'caf\xe9\r\n'), `caf\xe9\r\n\r\n${asciiText}\r\n`);
    assert.equal(text('8bit', 'caf\xe9\r\n', { charset: 'us-ascii' }), `caf\xe9\r\n\r\n${asciiText}\r\n`);
  });

  test('7bit stays 7bit in every charset', () => {
    for (const charset of ['utf-8', 'iso-8859-1', 'gb18030', 'windows-1252']) {
      assert.equal(text('7bit', 'Hello\r\n', { charset }), `Hello\r\n\r\n${asciiText}\r\n`);
      assert.equal(html('7bit', 'Hello\r\n', { charset }), `Hello\r\n${asciiHtml}\r\n`);
    }
  });
});

describe('format=flowed', () => {
  const flowed = { format: 'Flowed', delsp: 'yes' };
  test('a paragraph that is left open is not joined', () => {
    assert.equal(text('7bit', 'Hello \r\n', flowed), `Hello \r\n\r\n\r\n${asciiText}\r\n`);
    assert.equal(text('7bit', 'Hello \r\n\r\n', flowed), `Hello \r\n\r\n\r\n${asciiText}\r\n`);
    assert.equal(text('7bit', 'Hello ', flowed), `Hello \r\n\r\n\r\n${asciiText}`);
    assert.equal(text('7bit', 'Hello \r\n'), `Hello \r\n\r\n${asciiText}\r\n`);
    assert.equal(text('7bit', 'Hello \r\n-- \r\nMe', flowed), `Hello \r\n\r\n\r\n${asciiText}\r\n\r\n-- \r\nMe`);
  });

  test('lines are fixed and stuffed', () => {
    const result = insertNotice(
      { type: 'text/plain', params: new Map(Object.entries(flowed)), transferEncoding: '', body: Buffer.alloc(0) },
      { text: 'From me \n>a\n b  \nFromage\n', html: '', names: '' },
    );
    assert.equal(result?.toString(), ' From me\r\n >a\r\n  b\r\nFromage\r\n');
  });
});

describe('quoted-printable', () => {
  const utf8 = { charset: 'utf-8' };
  const encoded = 'Files =C3=A0 =E2=82=AC=E6=97=A5:\r\n\r\na.pdf\r\nhttps://x.example/AAAA';
  const cases: readonly (readonly [why: string, body: string, expected: string])[] = [
    ['plain', 'caf=C3=A9\r\n', `caf=C3=A9\r\n\r\n${encoded}\r\n`],
    ['a soft line break at the very end', 'Hello=', `Hello=\r\n\r\n\r\n${encoded}`],
    ['and blanks after it', 'Hello= \t', `Hello= \t\r\n\r\n\r\n${encoded}`],
    ['a soft line break with its line end', 'Hello=\r\n', `Hello=\r\n\r\n\r\n${encoded}=\r\n`],
    ['blanks that do not count', 'Hello  ', `Hello  \r\n\r\n${encoded}`],
    ['a full line', 'x'.repeat(76), `${'x'.repeat(76)}\r\n\r\n${encoded}`],
    ['an = that is none', 'a=ZZ b=4', `a=ZZ b=4\r\n\r\n${encoded}`],
    ['a separator written so', 'Hello\r\n--=20\r\nMe', `Hello\r\n\r\n${encoded}\r\n\r\n--=20\r\nMe`],
    ['an encoded line end', 'Hello=0D=0A', `Hello=0D=0A\r\n${encoded}\r\n`],
  ];
  for (const [why, body, expected] of cases)
    test(why, () => assert.equal(text('quoted-printable', body, utf8), expected));

  test('in the middle of a line of HTML', () => {
    const fragment = '<p>=C3=A0 =E2=82=AC=E6=97=A5</p>';
    assert.equal(html('quoted-printable', '<b>a</b></body>\r\n', utf8), `<b>a</b>\r\n${fragment}\r\n</body>\r\n`);
    assert.equal(html('quoted-printable', '<b>a</b> </body>', utf8), `<b>a</b> =\r\n\r\n${fragment}\r\n</body>`);
    assert.equal(
      html('quoted-printable', '<b>a</b>=\r\n</bo=\r\ndy>', utf8),
      `<b>a</b>=\r\n\r\n${fragment}\r\n</bo=\r\ndy>`,
    );
    assert.equal(html('quoted-printable', '=</body>', utf8), `==\r\n\r\n${fragment}\r\n</body>`);
    assert.equal(html('quoted-printable', 'a=3C/body>', utf8), `a\r\n${fragment}\r\n=3C/body>`);
  });

  test('no line over 76, with the soft line break that follows it', () => {
    for (let length = 60; length < 80; length++) {
      const params = new Map([['charset', 'utf-8']]);
      const carrier = { type: 'text/html', params, transferEncoding: 'quoted-printable' } as const;
      const result = insertNotice(
        { ...carrier, body: Buffer.from('a=\r\n') },
        { text: '', html: 'x'.repeat(length), names: '' },
      );
      assert.ok(result);
      assert.ok(result.toString().endsWith('x=\r\n'));
      assert.ok(
        result
          .toString()
          .split('\r\n')
          .every((line) => line.length <= 76),
        `${length}`,
      );
    }
  });

  test('no line over 76', () => {
    for (let length = 60; length < 90; length++) {
      for (const fill of ['é', 'x', '日x']) {
        const long = { text: fill.repeat(length), html: '', names: '' };
        const result = insertNotice(
          {
            type: 'text/plain',
            params: new Map([['charset', 'utf-8']]),
            transferEncoding: 'quoted-printable',
            body: Buffer.alloc(0),
          },
          long,
        );
        const lines = result?.toString().split('\r\n') ?? [];
        assert.ok(lines.every((line) => line.length <= 76));
        const decoded = Buffer.from(
          lines
            .join('\n')
            .replaceAll('=\n', '')
            .replace(/=(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
          'latin1',
        );
        assert.equal(decoded.toString(), `${long.text}\n`);
      }
    }
  });
});

describe('base64', () => {
  const utf8 = { charset: 'utf-8' };
  const decode = (body: string | undefined): string => Buffer.from(body ?? '', 'base64').toString();
  const b64 = (s: string): string => Buffer.from(s).toString('base64');
  const words = notice.text.trimEnd().replaceAll('\n', '\r\n');

  test('whatever the lines and the padding, the beginning keeps its bytes', () => {
    for (let length = 0; length < 9; length++) {
      const plain = `${'x'.repeat(60)}${'y'.repeat(length)}`;
      const lines = b64(plain).replace(/(.{20})/g, '$1\r\n');
      for (const body of [
        lines,
        lines.replaceAll('=', ''),
        `${lines}\r\n`,
        lines.replaceAll('\r\n', ' \t\n'),
        b64(plain),
      ]) {
        const result = text('base64', body, utf8);
        assert.equal(decode(result), `${plain}\r\n\r\n${words}`);
        const quanta = Math.floor(plain.length / 3) * 4;
        const kept = Array.from({ length: body.length + 1 }).findIndex(
          (_, i) => body.slice(0, i).replace(/\s/g, '').length === quanta,
        );
        assert.equal(result?.slice(0, kept), body.slice(0, kept));
        assert.ok(body === b64(plain) || result.split(/\r?\n/).every((line) => line.length <= 76));
        assert.equal(result.endsWith('\n'), body.endsWith('\n'));
      }
    }
  });

  test('an empty body, and one that is only line ends', () => {
    assert.equal(decode(text('base64', '', utf8)), `${words}\r\n`);
    assert.equal(decode(text('base64', '\r\n\r\n', utf8)), `${words}\r\n`);
  });

  test('where all lines of the text end in LF, those of the notice do too', () => {
    const own = notice.text.trimEnd();
    const cases: readonly (readonly [body: string, expected: string])[] = [
      ['Hello\n', `Hello\n\n${own}\n`],
      ['Hello\n\n-- \nMe', `Hello\n\n${own}\n\n-- \nMe`],
      ['Hello\n-- \nMe\n', `Hello\n\n${own}\n\n-- \nMe\n`],
      ['one\ntwo\r\n', `one\ntwo\r\n\r\n${words}\r\n`],
      ['one\rtwo', `one\rtwo\r\n\r\n${words}`],
    ];
    for (const [body, expected] of cases) {
      const before = b64(body).replace(/(.{20})/g, '$1\r\n');
      const result = text('base64', before, utf8);
      assert.equal(decode(result), expected);
      assert.doesNotMatch(result ?? '', /(?<!\r)\n/, 'lines of the message end in CRLF');
    }
    assert.equal(decode(html('base64', b64('<body>\nHello</body>\n'), utf8)), '<body>\nHello\n<p>à €日</p>\n</body>\n');
    const wide = Buffer.from('\ufeffHello\n', 'utf16le').toString('base64');
    const page = Buffer.from(text('base64', wide, { charset: 'utf-16' }) ?? '', 'base64').toString('utf16le');
    assert.equal(page, `\ufeffHello\n\n${own}\n`);
  });

  test('in the middle of HTML', () => {
    const result = html('base64', b64('<body>Hello</body></html>'), utf8);
    assert.equal(decode(result), '<body>Hello\r\n<p>à €日</p>\r\n</body></html>');
    assert.equal(result?.slice(0, 12), b64('<body>Hello</body></html>').slice(0, 12));
  });

  test('what some readers decode and some do not carries nothing', () => {
    for (const body of ['SGVs\r\n-- \r\nbG8=', 'SGVsbG8=SGVsbG8=', 'SGVs_G8=', 'SGVs*bG8=', 'SGVs\xe9']) {
      assert.equal(text('base64', body, utf8), undefined, body);
    }
  });

  test('text as it is, under the label of base64, carries nothing', () => {
    for (const body of ['ploozdect nispplul\r\nswunkglap', 'Hello', 'a\r\nwordless\r\n\r\nbb', 'Thanks', 'Thankyou'])
      assert.equal(text('base64', body, utf8), undefined, body);
    assert.notEqual(text('base64', `\t${b64('Hello you')} \r\n`, utf8), undefined);
    assert.notEqual(text('base64', Buffer.from('caf\xe9', 'latin1').toString('base64')), undefined);
  });

  test('UTF-16, with and without mark, in both orders', () => {
    const le = (s: string): Buffer => Buffer.from(s, 'utf16le');
    const be = (s: string): Buffer => le(s).swap16();
    const all = `Hello\r\n\r\n${words}`;
    const cases: readonly (readonly [charset: string, body: Buffer, expected: Buffer])[] = [
      ['utf-16le', le('Hello'), le(all)],
      ['UTF-16BE', be('Hello'), be(all)],
      ['utf-16', le('\ufeffHello'), le(`\ufeff${all}`)],
      ['utf-16', be('\ufeffHello'), be(`\ufeff${all}`)],
    ];
    for (const [charset, body, expected] of cases) {
      const result = text('base64', body.toString('base64'), { charset });
      assert.deepEqual(Buffer.from(result ?? '', 'base64'), expected);
      const page = html(
        'base64',
        Buffer.concat([body, charset === 'UTF-16BE' ? be('</body>') : Buffer.alloc(0)]).toString('base64'),
        { charset },
      );
      assert.match(
        Buffer.from(page ?? '', 'base64')
          .toString('latin1')
          .replaceAll('\0', ''),
        /Hello\r\n<p>/,
      );
    }
    assert.equal(text('base64', le('Hello').toString('base64'), { charset: 'utf-16' }), undefined);
    assert.equal(text('base64', Buffer.from('Hello').toString('base64'), { charset: 'utf-16le' }), undefined);
    assert.equal(text('8bit', le('Hello'), { charset: 'utf-16le' }), undefined);
    assert.equal(text('quoted-printable', 'H=00', { charset: 'utf-16le' }), undefined);
  });
});

describe('HTML', () => {
  test('lines of their own, the rest untouched', () => {
    assert.equal(
      html('8bit', '<body>a</body>', { charset: 'utf-8' }),
      `<body>a\r\n${Buffer.from('<p>à €日</p>').toString('latin1')}\r\n</body>`,
    );
    assert.equal(html('7bit', 'a'), `a\r\n${asciiHtml}`);
    assert.equal(html('7bit', 'a\r\n'), `a\r\n${asciiHtml}\r\n`);
    assert.equal(html('7bit', ''), `${asciiHtml}\r\n`);
  });
  test('a frameset has no place for it', () => assert.equal(html('7bit', '<frameset></frameset>'), undefined));
  test('a line that no mail may have', () => {
    const carrier = { type: 'text/html', params: new Map<string, string>(), body: Buffer.from('a') } as const;
    const long = { text: '', html: 'x'.repeat(999), names: '' };
    assert.equal(insertNotice({ ...carrier, transferEncoding: '7bit' }, long), undefined);
    assert.notEqual(insertNotice({ ...carrier, transferEncoding: 'quoted-printable' }, long), undefined);
  });
});

describe('charsets', () => {
  const cases: readonly (readonly [charset: string, text: string, html: string])[] = [
    ['iso-8859-1', 'Files \xe0 EUR?:', '<p>\xe0 &#8364;&#26085;</p>'],
    ['iso-8859-15', 'Files \xe0 \xa4?:', '<p>\xe0 \xa4&#26085;</p>'],
    ['Windows-1252', 'Files \xe0 \x80?:', '<p>\xe0 \x80&#26085;</p>'],
    ['windows-1251', 'Files a \x88?:', '<p>&#224; \x88&#26085;</p>'],
    ['koi8-r', 'Files a EUR?:', '<p>&#224; &#8364;&#26085;</p>'],
    ['shift_jis', 'Files a EUR\x93\xfa:', '<p>&#224; &#8364;\x93\xfa</p>'],
    ['euc-jp', 'Files \x8f\xab\xa2 EUR\xc6\xfc:', '<p>\x8f\xab\xa2 &#8364;\xc6\xfc</p>'],
    ['gb18030', 'Files \xa8\xa4 \xa2\xe3\xc8\xd5:', '<p>\xa8\xa4 \xa2\xe3\xc8\xd5</p>'],
    ['big5', 'Files a \xa3\xe1\xa4\xe9:', '<p>&#224; \xa3\xe1\xa4\xe9</p>'],
    ['gb2312', 'Files \xa8\xa4 EUR\xc8\xd5:', '<p>\xa8\xa4 &#8364;\xc8\xd5</p>'],
    ['euc-kr', 'Files a EUR\xec\xed:', '<p>&#224; &#8364;\xec\xed</p>'],
    ['iso-2022-jp', 'Files a EUR\x1b$BF|\x1b(B:', '<p>&#224; &#8364;\x1b$BF|\x1b(B</p>'],
  ];
  for (const [charset, words, fragment] of cases) {
    test(charset, () => {
      assert.equal(text('8bit', '', { charset })?.split('\r\n')[0], words);
      assert.equal(html('8bit', '', { charset }), `${fragment}\r\n`);
    });
  }

  test('ISO-2022-JP: half a kanji is no tag, and what was shifted is shifted back', () => {
    const jp = { charset: 'ISO-2022-JP' };
    const fragment = '<p>&#224; &#8364;\x1b$BF|\x1b(B</p>';
    // The kanji whose two bytes are `</`, followed by `bo`, `dy`, `>!`.
    const masked = '\x1b$B</body>!\x1b(B';
    assert.equal(html('7bit', masked, jp), `${masked}\r\n${fragment}`);
    assert.equal(html('7bit', `${masked}</body>`, jp), `${masked}\r\n${fragment}\r\n</body>`);
    assert.equal(html('7bit', `\x1b(Ja</body>`, jp), `\x1b(Ja\x1b(B\r\n${fragment}\r\n\x1b(J</body>`);
    assert.equal(
      text('7bit', '\x1b$BF|', jp),
      '\x1b$BF|\x1b(B\r\n\r\nFiles a EUR\x1b$BF|\x1b(B:\r\n\r\na.pdf\r\nhttps://x.example/AAAA',
    );
  });
});
