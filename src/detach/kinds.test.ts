/** Names and charsets as mail programs write them, right and wrong: what a reader sees in the notice. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import iconv from 'iconv-lite';
import { simpleParser } from 'mailparser';
import { Lab } from './testing/lab.ts';
import { base64, crlf } from './testing/messages.ts';

const lab = new Lab({ rules: { minSize: 1000 } });
after(() => lab.close());

const blob = base64(Buffer.alloc(3000, 'some file'));
const octets = (text: string, charset = 'utf-8'): string => iconv.encode(text, charset).toString('latin1');

interface Letter {
  readonly text?: string;
  readonly type?: string;
  readonly encoding?: string;
  readonly file?: readonly string[];
}

const letter = ({ text = 'Hello', type = 'text/plain; charset=utf-8', encoding = '8bit', file = [] }: Letter): Buffer =>
  crlf(
    'From: a@a.example',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="bb"',
    '',
    '--bb',
    `Content-Type: ${type}`,
    `Content-Transfer-Encoding: ${encoding}`,
    '',
    text,
    '--bb',
    ...(file.length > 0 ? file : ['Content-Type: application/pdf; name=a.pdf']),
    'Content-Transfer-Encoding: base64',
    '',
    blob,
    '--bb--',
  );

async function deliver(original: Buffer): Promise<{ readonly names: string[]; readonly message: Buffer }> {
  const { message, files } = await lab.detach(original);
  assert.deepEqual(files.length > 0 ? await lab.restore(message) : message, original);
  return { names: files.map(({ name }) => name), message };
}

suite('names', () => {
  const pdf = 'Content-Type: application/pdf';
  const cases: Record<string, [fields: string[], name: string]> = {
    'RFC 2231 in one piece': [
      [pdf, "Content-Disposition: attachment; filename*=UTF-8''Pr%C3%BCfung.pdf"],
      'Prüfung.pdf',
    ],
    'RFC 2231 in pieces, a character cut between them': [
      [
        pdf,
        "Content-Disposition: attachment;\r\n filename*0*=UTF-8''Pr%C3;\r\n filename*1*=%BCfung;\r\n filename*2=.pdf",
      ],
      'Prüfung.pdf',
    ],
    'RFC 2231 in pieces out of order': [
      [pdf, 'Content-Disposition: attachment; filename*1="b.pdf"; filename*0="a"'],
      'ab.pdf',
    ],
    'RFC 2231 in ten pieces and more': [
      [
        pdf,
        `Content-Disposition: attachment;${Array.from('abcdefghijkl', (c, i) => ` filename*${i}=${c};`).join('')} x=y`,
      ],
      'abcdefghijkl',
    ],
    'RFC 2231 in latin1': [[pdf, "Content-Disposition: attachment; filename*=ISO-8859-1''caf%E9.pdf"], 'café.pdf'],
    'RFC 2231 without a charset': [[pdf, "Content-Disposition: attachment; filename*=''caf%C3%A9.pdf"], 'café.pdf'],
    'RFC 2231 in quotes': [[pdf, 'Content-Disposition: attachment; filename*="UTF-8\'\'caf%C3%A9.pdf"'], 'café.pdf'],
    'RFC 2231 beside the plain one': [
      [pdf, `Content-Disposition: attachment; filename="cafe.pdf"; filename*=UTF-8''caf%C3%A9.pdf`],
      'café.pdf',
    ],
    'RFC 2231 with a lone percent sign': [
      [pdf, "Content-Disposition: attachment; filename*=UTF-8''100%.pdf"],
      '100%.pdf',
    ],
    'an encoded word, as Outlook writes it': [
      [`${pdf}; name="=?utf-8?B?${Buffer.from('Größe.pdf').toString('base64')}?="`],
      'Größe.pdf',
    ],
    'encoded words that cut a character': [
      [`${pdf};\r\n name="=?UTF-8?Q?Gr=C3?=\r\n =?UTF-8?Q?=B6=C3=9Fe.pdf?="`],
      'Größe.pdf',
    ],
    'an encoded word without quotes': [[`${pdf}; name==?utf-8?Q?Gr=C3=B6=C3=9Fe.pdf?=`], 'Größe.pdf'],
    'an encoded word in iso-2022-jp': [
      [`${pdf}; name="=?ISO-2022-JP?B?${Buffer.from('\x1b$BF|K\\\x1b(B.pdf', 'latin1').toString('base64')}?="`],
      '日本.pdf',
    ],
    'an encoded word in gb2312': [
      [`${pdf}; name="=?gb2312?B?${iconv.encode('计划.pdf', 'gb18030').toString('base64')}?="`],
      '计划.pdf',
    ],
    'an encoded word in koi8-r': [
      [`${pdf}; name="=?koi8-r?B?${iconv.encode('Счёт.pdf', 'koi8-r').toString('base64')}?="`],
      'Счёт.pdf',
    ],
    'an encoded word in windows-1251, with blanks in it': [
      [
        `${pdf}; name="=?windows-1251?Q?${octets('Счёт', 'windows-1251').replace(/[^]/g, (c) => `=${c.charCodeAt(0).toString(16).toUpperCase()}`)} 1.pdf?="`,
      ],
      'Счёт 1.pdf',
    ],
    'an encoded word in an unknown charset': [[`${pdf}; name="=?x-none?Q?plan.pdf?="`], 'plan.pdf'],
    'an encoded word in percent signs of RFC 2231': [
      [pdf, "Content-Disposition: attachment; filename*=utf-8''%3D%3Futf-8%3FQ%3Fplan.pdf%3F%3D"],
      'plan.pdf',
    ],
    'raw UTF-8': [[`${pdf}; name="${octets('Größe.pdf')}"`], 'Größe.pdf'],
    'raw latin1': [[`${pdf}; name="Gr\xf6\xdfe.pdf"`], 'Größe.pdf'],
    'a name with a path': [[`${pdf}; name="C:\\\\Users\\\\Ann\\\\plan.pdf"`], 'plan.pdf'],
    'a name with a semicolon in quotes': [[`${pdf}; name="a;b.pdf"`], 'a;b.pdf'],
    'a name with blanks and no quotes': [[pdf, 'Content-Disposition: attachment; filename=my plan.pdf'], 'my plan.pdf'],
    'a name that turns letters around': [
      [`${pdf}; name="=?utf-8?B?${Buffer.from('a\u202efdp.exe').toString('base64')}?="`],
      'afdp.exe',
    ],
    'a name as two parts of the header say it differently': [
      [`${pdf}; name="one.pdf"`, 'Content-Disposition: attachment; filename="two.pdf"'],
      'two.pdf',
    ],
    'no name, an image': [['Content-Type: image/svg+xml', 'Content-Disposition: attachment'], 'image.svg'],
    'no name, a document of Word': [
      ['Content-Type: application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
      'attachment.docx',
    ],
    'no name, a type of Apple': [['Content-Type: image/heic', 'Content-Disposition: attachment'], 'image.heic'],
    'no name but a description': [[pdf, 'Content-Description: =?utf-8?Q?Pr=C3=BCfung?='], 'Prüfung.pdf'],
    'nothing at all': [['Content-Disposition: attachment'], 'attachment.bin'],
  };
  for (const [title, [file, name]] of Object.entries(cases))
    test(title, async () => {
      const { names, message } = await deliver(letter({ file }));
      assert.deepEqual(names, [name]);
      assert.ok((await simpleParser(message)).text!.includes(name), 'the notice says it');
    });
});

suite('charsets of a text: the notice stands in it, with a name it may lack', () => {
  const file = [`Content-Type: application/pdf; name="=?utf-8?B?${Buffer.from('Счёт 日本.pdf').toString('base64')}?="`];
  const samples: Record<string, string> = {
    'us-ascii': 'Hello',
    'utf-8': 'Grüße',
    'iso-8859-1': 'Grüße',
    'iso-8859-15': 'Grüße €',
    'windows-1250': 'Příliš',
    'windows-1251': 'Привет',
    'windows-1252': 'Grüße “€”',
    'windows-1253': 'Γειά',
    'windows-1254': 'Değil',
    'windows-1255': 'שלום',
    'windows-1256': 'سلام',
    'windows-1257': 'Ačiū',
    'koi8-r': 'Привет',
    'koi8-u': 'Привіт',
    gb2312: '你好',
    gbk: '你好',
    gb18030: '你好',
    big5: '你好',
    shift_jis: 'こんにちは',
    'euc-jp': 'こんにちは',
    'euc-kr': '안녕',
    'iso-8859-2': 'Příliš',
    'iso-8859-7': 'Γειά',
  };
  for (const [charset, text] of Object.entries(samples))
    for (const encoding of ['8bit', 'base64', 'quoted-printable'])
      test(`${charset}, ${encoding}`, async () => {
        const bytes = octets(text, charset);
        const body =
          encoding === 'base64'
            ? Buffer.from(bytes, 'latin1').toString('base64')
            : encoding === 'quoted-printable'
              ? bytes.replace(/[\x80-\xff=]/g, (c) => `=${c.charCodeAt(0).toString(16).toUpperCase()}`)
              : bytes;
        const { message } = await deliver(
          letter({ text: body, type: `text/plain; charset="${charset}"`, encoding, file }),
        );
        const read = await simpleParser(message);
        assert.equal(read.attachments.length, 0, 'no part of its own');
        assert.ok(read.text!.startsWith(text), read.text);
        assert.match(read.text!, /\nСчёт 日本\.pdf \(PDF/);
      });

  const odd: Record<string, [type: string, encoding: string, body: string]> = {
    'iso-2022-jp': ['text/plain; charset=iso-2022-jp', '7bit', '\x1b$B$3$s\x1b(B'],
    'UTF-16 with a mark, in base64': [
      'text/plain; charset=utf-16',
      'base64',
      Buffer.from('\ufeffHello', 'utf16le').toString('base64'),
    ],
    'a charset that nobody knows': ['text/plain; charset=x-unknown', '7bit', 'Hello'],
    'a charset in quotes of another kind': ["text/plain; charset='iso-8859-1'", '8bit', 'Hello'],
    'no charset, raw UTF-8': ['text/plain', '8bit', octets('Grüße')],
    'us-ascii over raw UTF-8': ['text/plain; charset=us-ascii', '8bit', octets('Grüße')],
    'charset as a word with a comment': ['text/plain; charset=us-ascii (Plain text)', '7bit', 'Hello'],
    'flowed, as Thunderbird writes it': ['text/plain; charset=iso-8859-1; format=flowed', '7bit', 'Hello \r\nyou'],
  };
  for (const [title, [type, encoding, text]] of Object.entries(odd))
    test(title, async () => {
      const { message, names } = await deliver(letter({ text, type, encoding, file }));
      assert.deepEqual(names, ['Счёт 日本.pdf']);
      const read = await simpleParser(message);
      assert.match(read.text!, /\nСчёт 日本\.pdf \(PDF/, read.text);
      assert.equal(read.attachments.length, 0, 'no part of its own');
    });

  test('UTF-7 and raw bytes of an unknown charset are not touched: a part of its own tells of the file', async () => {
    for (const [type, text] of [
      ['text/plain; charset=utf-7', 'Gr+APwA3w-e'],
      ['text/plain; charset=x-unknown', 'Gr\xfc\xdfe'],
    ] as const) {
      const { message } = await deliver(letter({ text, type, file }));
      assert.ok(message.includes(Buffer.from(`\r\n\r\n${text}\r\n--bb`, 'latin1')), type);
      const { attachments, html } = await simpleParser(message);
      assert.match(`${String(html)}${attachments.map(({ content }) => content.toString()).join()}`, /Счёт 日本\.pdf/);
    }
  });
});
