import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from '../../test/harness/property.ts';
import { encodeQuotedPrintable } from '../message/quoted-printable.ts';
import type { NoticeItem } from './interface.ts';
import { createNotice } from './notice.ts';
import { compileHtml, compileText } from './notice/template.ts';
import { words, type Language } from './words/languages.ts';

const item: NoticeItem = {
  name: 'report.pdf',
  type: 'application/pdf',
  size: 2_400_000,
  url: 'https://files.example.org/AAAAAAAAAAAAAAAAAAAAAA',
  expires: new Date('2027-02-20T23:59:59Z'),
};

const nothing = {
  name: '',
  size: '',
  kind: '',
  type: '',
  url: '',
  expires: '',
  organisation: '',
  contact: '',
  page: '',
};

describe('built-in words', () => {
  test('English text', () => {
    assert.equal(
      createNotice({ language: 'en' }).write({ items: [item] }).text,
      'Attached to this message until 20 February 2027:\n\nreport.pdf (PDF, 2.4 MB)\n' +
        'https://files.example.org/AAAAAAAAAAAAAAAAAAAAAA\n',
    );
  });

  test('French text', () => {
    assert.equal(
      createNotice({ language: 'fr' }).write({ items: [{ ...item, expires: new Date('2027-08-01T00:00:00Z') }] }).text,
      "Joint à ce message jusqu'au 1er août 2027 :\n\nreport.pdf (PDF, 2,4 Mo)\n" +
        'https://files.example.org/AAAAAAAAAAAAAAAAAAAAAA\n',
    );
  });

  test('several files are a list', () => {
    const items = [item, { ...item, name: 'b.zip', type: 'application/zip', expires: undefined }];
    const text = createNotice({ language: 'en' }).write({ items }).text;
    assert.equal(text.split('\n\n').length, 3);
    assert.match(text, /\n\nb\.zip \(archive, 2\.4 MB\)\nhttps:/);
    assert.equal(text.match(/2027/g)?.length, 1, 'the end of life is said once');
    const html = createNotice({ language: 'fr' }).write({ items }).html;
    assert.equal(html.match(/<li /g)?.length, 2);
    assert.match(html, /jusqu&#39;au 20 février 2027/);
  });

  test('sizes in the units and signs of the language', () => {
    const sizes: readonly (readonly [bytes: number, en: string, fr: string])[] = [
      [0, '0 bytes', '0 octets'],
      [999, '999 bytes', '999 octets'],
      [1000, '1 kB', '1 ko'],
      [9_949, '9.9 kB', '9,9 ko'],
      [9_950, '10 kB', '10 ko'],
      [999_499, '999 kB', '999 ko'],
      [999_500, '1 MB', '1 Mo'],
      [1_048_576, '1 MB', '1 Mo'],
      [25_900_000, '26 MB', '26 Mo'],
      [1_260_000_000, '1.3 GB', '1,3 Go'],
      [5e15, '5000 TB', '5000 To'],
    ];
    for (const [size, en, fr] of sizes) {
      assert.match(
        createNotice({ language: 'en' }).write({ items: [{ ...item, size }] }).text,
        new RegExp(`, ${en}\\)`),
      );
      assert.match(
        createNotice({ language: 'fr' }).write({ items: [{ ...item, size }] }).text,
        new RegExp(`, ${fr}\\)`),
      );
    }
  });

  test('the HTML has its direction, its language, names isolated and nothing from elsewhere', () => {
    const html = createNotice({ language: 'en' }).write({ items: [{ ...item, name: `<a> & "b" 'c'.pdf` }] }).html;
    assert.match(html, /^<div lang="en" dir="ltr" /);
    assert.match(html, /<bdi>&lt;a&gt; &amp; &quot;b&quot; &#39;c&#39;\.pdf<\/bdi>/);
    assert.match(html, /href="https:\/\/files\.example\.org\/A{22}" style=/);
    assert.doesNotMatch(html, /src=|url\(|class=|<img|@/);
  });

  test('under 1,000 bytes for a file in both together, whatever its name is and however it is encoded', () => {
    const encodings: Record<string, (text: string) => number> = {
      'as it is': (text) => Buffer.byteLength(text),
      base64: (text) => Math.ceil((Buffer.from(text).toString('base64').length * 78) / 76),
      'quoted-printable': (text) => encodeQuotedPrintable(Buffer.from(text)).length,
    };
    const names = ['a', 'é', '日', '😀', '&', '"é'].map((unit) => `${unit.repeat(200).slice(0, 140)}.pdf`);
    for (const language of Object.keys(words) as Language[])
      for (const name of [...names, 'report.pdf'])
        for (const [encoding, lengthOf] of Object.entries(encodings)) {
          const notice = createNotice({ language });
          const expires = new Date('2027-09-30T00:00:00Z');
          const largest = { ...item, name, expires, url: `https://${'x'.repeat(92)}`, size: 123_000 };
          const both = [notice.write({ items: [largest] }).text, notice.write({ items: [largest] }).html].map((text) =>
            text.replaceAll('\n', '\r\n'),
          );
          const bytes = lengthOf(both[0]!) + lengthOf(both[1]!);
          const page = `https://${'x'.repeat(92)}`;
          const { text, html } = notice.write({ items: [largest, { ...largest, name: `b${name}` }], page });
          // With the link to the page, re-encoding does not count.
          assert.ok(Buffer.byteLength(text + html) < 1600, `two files named ${name} in ${language}`);
          assert.ok(bytes < 1000, `${name} in ${language}, ${encoding}: ${bytes}`);
        }
  });

  test('who keeps the files and whom to ask come on top: the one twice, the other three times', () => {
    const bytesOf = (language: Language, organisation: string, contact: string): number => {
      const expires = new Date('2027-09-30T00:00:00Z');
      const name = `${'x'.repeat(140)}.pdf`;
      const largest = { ...item, name, expires, url: `https://${'x'.repeat(92)}`, size: 123_000 };
      const { text, html } = createNotice({ language, organisation, contact }).write({ items: [largest] });
      return Buffer.byteLength((text + html).replaceAll('\n', '\r\n'));
    };
    for (const language of Object.keys(words) as Language[]) {
      const usual = bytesOf(language, 'Example University', 'helpdesk@example.edu');
      assert.ok(usual < 1000, `${language}: ${usual}`);
      const longest = bytesOf(language, 'o'.repeat(100), `${'c'.repeat(88)}@example.edu`);
      assert.ok(longest < 1000 + 2 * 100 + 3 * 100, `${language}: ${longest}`);
      const page = bytesOf(language, 'Example University', 'https://help.example.edu/mail/attachments');
      assert.ok(page < 1000, `${language}: ${page}`);
      const longer = bytesOf(language, 'Example University', `https://help.example.edu/${'c'.repeat(75)}`);
      assert.ok(longer < 1000 + 2 * 75, `${language}: ${longer}`);
    }
  });

  test('of a page for questions the HTML shows the host alone', () => {
    const contact = 'https://help.example.edu/a/b?c=1&d=2#e';
    const { text, html } = createNotice({ language: 'en', contact }).write({ items: [item] });
    assert.ok(text.endsWith(`\nQuestions: ${contact}\n`));
    assert.match(html, /<a href="https:\/\/help\.example\.edu\/a\/b\?c=1&amp;d=2#e"[^>]*>help\.example\.edu<\/a>/);
  });

  test('names that were shortened before and differ in the middle have three dots at a cut, not more', () => {
    const items = ['January', 'February', 'March'].map((month) => ({
      ...item,
      name: `${'Start '.repeat(7)}Sta...${month}${' end'.repeat(10)}...${'end '.repeat(11)}end.docx`,
    }));
    const { text } = createNotice({ language: 'en' }).write({ items });
    assert.deepEqual(text.match(/^Start.*(?= \()/gm), [
      'Start Start...January end end end end en...docx',
      'Start Start...February end end end end e...docx',
      'Start Start...March end end end end end...docx',
    ]);
  });

  test('no line but the link is longer than 76, and the link stands alone and whole', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 150 });
    fc.assert(
      fc.property(name, fc.constantFrom('en', 'fr'), (name, language) => {
        const url = `https://${'x'.repeat(92)}`;
        const text = createNotice({ language }).write({ items: [{ ...item, name, url }] }).text;
        const lines = text.split('\n');
        assert.equal(lines.filter((line) => line === url).length, 1);
        for (const line of lines) if (line !== url) assert.ok(line.length <= 76, line);
        assert.doesNotMatch(text, / \n|\r|\n\n$/);
      }),
    );
  });

  test('a long name keeps its beginning and its extension', () => {
    const cases: readonly (readonly [name: string, shown: string])[] = [
      [`${'a'.repeat(44)}.pdf`, `${'a'.repeat(44)}.pdf`],
      [`${'a'.repeat(45)}.pdf`, `${'a'.repeat(30)}...${'a'.repeat(11)}.pdf`],
      [`${'日'.repeat(46)}.pdf`, `${'日'.repeat(10)}...${'日'.repeat(3)}.pdf`],
      [`${'😀'.repeat(36)}.pdf`, `${'😀'.repeat(8)}...${'😀'.repeat(2)}.pdf`],
      [`${'&'.repeat(14)}.pdf`, `${'&'.repeat(6)}...${'&'.repeat(2)}.pdf`],
    ];
    for (const [name, shown] of cases) {
      const [, , line] = createNotice({ language: 'en' })
        .write({ items: [{ ...item, name }] })
        .text.split('\n');
      assert.equal(line, `${shown} (PDF, 2.4 MB)`);
      const html = createNotice({ language: 'en' }).write({ items: [{ ...item, name }] }).html;
      assert.equal(/<bdi>(.*)<\/bdi>/.exec(html)?.[1]?.replaceAll('&amp;', '&'), shown);
    }
  });
});

describe("the operator's templates", () => {
  const directory = mkdtempSync(join(tmpdir(), 'notice-'));
  after(() => rmSync(directory, { recursive: true }));
  const write = (name: string, source: string | Buffer): string => {
    const path = join(directory, name);
    writeFileSync(path, source);
    return path;
  };

  test('take the place of ours', () => {
    const notice = createNotice({
      language: 'fr',
      templates: {
        text: write(
          'a.txt',
          '\ufeffVoilà:\r\n{{#files}}\r\n* {{name}} [{{type}}, {{size}}, {{expires}}]\r\n  {{url}}\r\n{{/files}}\r\nFin\r\n',
        ),
        html: write('a.html', '<p>{{#files}}<a title="{{name}}" href="{{url}}">{{name}}</a><br/>{{/files}}</p>'),
      },
    });
    assert.equal(
      notice.write({ items: [item] }).text,
      `Voilà:\n* report.pdf [application/pdf, 2,4 Mo, disponible jusqu'au 20 février 2027]\n  ${item.url}\nFin\n`,
    );
    const html = notice.write({ items: [{ ...item, name: '">&' }] }).html;
    assert.equal(html, `<p><a title="&quot;&gt;&amp;" href="${item.url}">&quot;&gt;&amp;</a><br/></p>\n`);
  });

  test('link the page of all files where there is one', () => {
    const notice = createNotice({
      language: 'en',
      templates: {
        text: write('p.txt', '{{#files}}\n{{name}} {{url}}\n{{/files}}\n{{#page}}\nAll: {{page}}\n{{/page}}\nEnd\n'),
        html: write(
          'p.html',
          '<p>{{#files}}<a href="{{url}}">{{name}}</a>{{/files}}{{#page}}<a href="{{page}}">All</a>{{/page}}</p>',
        ),
      },
    });
    const url = 'https://files.example/a?b=1&c="';
    const both = notice.write({ items: [item, item], page: url });
    assert.ok(both.text.endsWith(`\nAll: ${url}\nEnd\n`), both.text);
    assert.ok(both.html.endsWith('<a href="https://files.example/a?b=1&amp;c=&quot;">All</a></p>\n'), both.html);
    const one = notice.write({ items: [item] });
    assert.ok(one.text.endsWith(`${item.url}\nEnd\n`), one.text);
    assert.doesNotMatch(one.html, /All|href=""/);
    for (const wrong of [
      '{{#files}}{{url}}{{/files}}<a href="{{page}}">All</a>',
      '{{#files}}{{url}}<a href="{{page}}">All</a>{{/files}}',
    ])
      assert.throws(
        () => createNotice({ language: 'en', templates: { html: write('w.html', wrong) } }),
        /line 1: \{\{page\}\} stands in href only between \{\{#page\}\} and \{\{\/page\}\}/,
      );
  });

  test('a name that looks like a placeholder is a name', () => {
    const text = compileText('{{#files}}\n{{name}} {{url}}\n{{/files}}\n');
    const values = { ...nothing, name: '{{url}} $& {{/files}}', url: 'https://x' };
    assert.equal(text([values], nothing), '{{url}} $& {{/files}} https://x\n');
  });

  test('an error names the key, the file and the place', () => {
    const html = write('bad.html', '<p>\n{{#files}}<a href="{{url}}">{{nmae}}</a>{{/files}}</p>');
    assert.throws(() => createNotice({ language: 'en', templates: { html } }), {
      name: 'TemplateError',
      message: `links.templates.html: ${html}: unknown placeholder {{nmae}}: there are {{name}}, {{size}}, {{kind}}, {{type}}, {{url}}, {{expires}}, {{organisation}}, {{contact}}, {{page}}`,
    });
    const missing = join(directory, 'none.txt');
    assert.throws(
      () => createNotice({ language: 'en', templates: { text: missing } }),
      /links\.templates\.text: .*ENOENT/,
    );
    const latin = write('latin.txt', Buffer.from('\xe9 {{#files}}{{url}}{{/files}}', 'latin1'));
    assert.throws(() => createNotice({ language: 'en', templates: { text: latin } }), /text: .*is not valid UTF-8/);
    const long = write('long.txt', `{{#files}}{{url}}{{/files}}${'a\n'.repeat(20_000)}`);
    assert.throws(
      () => createNotice({ language: 'en', templates: { text: long } }),
      /links\.templates\.text: .*has 40027 bytes, at most 32768 are possible/,
    );
  });

  const wrongText: readonly (readonly [why: string, source: string, message: RegExp])[] = [
    ['no section', '{{url}}', /needs one/],
    ['empty', '', /needs one/],
    ['two sections', '{{#files}}{{url}}{{/files}}{{#files}}{{url}}{{/files}}', /needs one/],
    ['the wrong way round', '{{/files}}{{url}}{{#files}}', /needs one/],
    ['outside of the section', '{{name}}{{#files}}{{url}}{{/files}}', /\{\{name\}\} stands outside/],
    ['no link', '{{#files}}{{name}}{{/files}}', /no \{\{url\}\}/],
    ['an unfinished one', '{{#files}}{{url}}{{name}{{/files}}', /unknown placeholder/],
    ['blanks', '{{#files}}{{ url }}{{/files}}', /unknown placeholder/],
    ['the name of a method', '{{#files}}{{url}}{{/files}}{{#toString}}{{/toString}}', /unknown placeholder/],
    ['a long line', `a\n${'x'.repeat(77)}\n{{#files}}{{url}}{{/files}}`, /line 2 is longer than 76/],
    ['a control character', 'a\n\0{{#files}}{{url}}{{/files}}', /line 2 has a control/],
  ];
  for (const [why, source, message] of wrongText) {
    test(`text: ${why}`, () => assert.throws(() => compileText(source), { name: 'TemplateError', message }));
  }

  const wrongHtml: readonly (readonly [why: string, inner: string, message: RegExp])[] = [
    ['a script', '<script>{{url}}</script>', /<script> is not possible/],
    ['a style', '<style>a{}</style>{{url}}', /<style> is not possible/],
    ['the end of the body', '</body>{{url}}', /closes \{\{#files\}\}/],
    ['a comment', '<!-- {{url}} -->', /comments/],
    ['a handler', '<p onclick="x">{{url}}</p>', /onclick is not possible/],
    ['a value in a style', '<p style="color:{{name}}">{{url}}</p>', /cannot stand in style/],
    ['a name as address', '<a href="{{name}}">{{url}}</a>', /cannot stand in href/],
    ['something before the address', '<a href="javascript:{{url}}">x</a>', /cannot stand in href/],
    ['an address that is a script', '<a href="javascript:x()">{{url}}</a>', /an address begins with https:/],
    ['an address without a host', '<a href="/help">{{url}}</a>', /an address begins with https:/],
    ['no quotes', '<a title={{name}} href="{{url}}">x</a>', /name="value"/],
    ['a value as tag', '<{{name}}>{{url}}', /write &lt;/],
    ['never closed', '<p>{{url}}', /closes p/],
    ['crossed', '<p><b>{{url}}</p></b>', /closes b/],
    ['br without slash', '{{url}}<br>', /write <br\/>/],
    ['div with slash', '{{url}}<div/>', /must be closed/],
    ['a tag that never ends', '{{url}}<p title="', /write &lt;/],
    ['a long line', `${'x'.repeat(300)}{{url}}`, /longer than 240/],
  ];
  for (const [why, inner, message] of wrongHtml) {
    test(`html: ${why}`, () => {
      assert.throws(() => compileHtml(`<div>{{#files}}${inner}{{/files}}</div>`), { name: 'TemplateError', message });
    });
  }

  test('html: a value cannot get out of its place, whatever it is', () => {
    const render = compileHtml('<p>{{#files}}<a title="{{name}}" href="{{url}}">{{name}}</a>{{/files}}</p>');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const html = render([{ ...nothing, name, url: 'https://x' }], nothing);
        assert.match(html, /^<p><a title="[^"<>]*" href="https:\/\/x">[^"<>]*<\/a><\/p>\n$/);
      }),
    );
  });
});
