import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../test/harness/property.ts';
import iconv from 'iconv-lite';
import { simpleParser } from 'mailparser';
import { createNotice } from '../../links/notice.ts';
import { insertNotice } from './insert.ts';
import { noticeBody, noticePart } from './part.ts';

const item = {
  name: 'Übersicht «2026» 日本.pdf',
  type: 'application/pdf',
  size: 2_400_000,
  url: 'https://files.example.org/AAAAAAAAAAAAAAAAAAAAAA',
  expires: new Date('2027-02-20T00:00:00Z'),
};
const notice = { ...createNotice({ language: 'fr' }).write({ items: [item] }), names: '' };

interface Part {
  readonly contentType: string;
  readonly transferEncoding: string;
  readonly body: Buffer;
}

async function read({ contentType, transferEncoding, body }: Part): Promise<{ text: string; html: string }> {
  const header = `Content-Type: ${contentType}\r\nContent-Transfer-Encoding: ${transferEncoding}\r\n\r\n`;
  const mail = await simpleParser(Buffer.concat([Buffer.from(header), body]), {
    skipHtmlToText: true,
    skipTextToHtml: true,
  });
  return { text: mail.text ?? '', html: mail.html === false ? '' : (mail.html ?? '') };
}

const lines = fc
  .array(
    fc.array(fc.constantFrom('é', 'ж', '日', 'word', ' word', '=', 'x'.repeat(70)), { minLength: 1, maxLength: 6 }),
    { minLength: 1, maxLength: 5 },
  )
  .map((all) => `${all.map((line) => line.join('')).join('\r\n')}\r\n`);

const plain = (html: string): string =>
  html.replaceAll('\r\n', '\n').replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));

const charsets: Readonly<Record<string, RegExp>> = {
  'utf-8': /[^]/,
  'iso-8859-1': /[é\0-\x7f]/,
  'koi8-r': /[ж\0-\x7f]/,
  shift_jis: /[日\0-\x7f]/,
  gb18030: /[^]/,
};

test('mailparser sees the text as it was, and the notice after it', async () => {
  const encodings = fc.constantFrom('8bit', 'quoted-printable', 'base64');
  await fc.assert(
    fc.asyncProperty(
      lines,
      fc.constantFrom(...Object.keys(charsets)),
      encodings,
      async (all, charset, transferEncoding) => {
        const text = Array.from(all, (c) => (charsets[charset]!.test(c) ? c : '.')).join('');
        const bytes = iconv.encode(text, charset);
        let body = bytes;
        if (transferEncoding === 'base64') body = Buffer.from(bytes.toString('base64'));
        if (transferEncoding === 'quoted-printable') {
          const escaped = bytes
            .toString('latin1')
            .replace(/[^\r\n -<>-~]/g, (c) => `=${c.charCodeAt(0).toString(16).toUpperCase()}`);
          body = Buffer.from(escaped.replace(/[^\r\n]{40}(?<!=.?)(?=[^\r\n])/g, '$&=\r\n'), 'latin1');
        }
        const params = new Map([['charset', charset]]);
        const contentType = `text/plain; charset=${charset}`;
        const before = await read({ contentType, transferEncoding, body });
        assert.equal(before.text.trimEnd(), text.replaceAll('\r\n', '\n').trimEnd());
        const result = insertNotice({ type: 'text/plain', params, transferEncoding, body }, notice);
        assert.ok(result);
        const { text: seen } = await read({ contentType, transferEncoding, body: result });
        assert.ok(seen.startsWith(before.text.trimEnd()));
        const added = seen.slice(before.text.trimEnd().length);
        assert.match(
          added,
          /^\n\nJoint (?:à|a) ce message jusqu'au 20 f(?:é|e)vrier 2027 :\n\n.*\.pdf \(PDF, 2,4 Mo\)\n/,
        );
        assert.ok(added.includes(`\n${item.url}\n`) || added.endsWith(`\n${item.url}`));
        if (charset === 'utf-8') assert.equal(added.trim(), notice.text.trim());

        const htmlBody = Buffer.concat([Buffer.from('<body>'), bytes, Buffer.from('</body>')]);
        const html = insertNotice({ type: 'text/html', params, transferEncoding: '8bit', body: htmlBody }, notice);
        assert.ok(html);
        const page = await read({ contentType: `text/html; charset=${charset}`, transferEncoding: '8bit', body: html });
        assert.equal(plain(page.html).trim(), plain(`<body>${text}${notice.html}</body>`));
      },
    ),
    { numRuns: 150 },
  );
});

test('the notice as a part of its own', async () => {
  const english = createNotice({ language: 'en' }).write({ items: [{ ...item, name: 'a.pdf' }] });
  for (const [texts, encoding] of [
    [notice, 'quoted-printable'],
    [english, '7bit'],
    [{ text: `${'x'.repeat(1000)}\n`, html: `<p>${'x'.repeat(1000)}</p>\n`, names: '' }, 'quoted-printable'],
  ] as const)
    for (const [{ header, body }, type, disposition] of [
      [noticePart(texts, 'Attachments'), 'html', 'inline; filename="Attachments.html"'],
      [noticeBody(texts), 'plain', 'inline'],
    ] as const) {
      assert.equal(
        header.toString(),
        `Content-Type: text/${type}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\nContent-Disposition: ${disposition}\r\n`,
      );
      assert.match(body.toString(), /^(?:[\x20-\x7e]{0,998}\r\n)+$/);
      const mail = await simpleParser(Buffer.concat([header, Buffer.from('\r\n'), body]));
      const read = type === 'plain' ? mail.text : mail.html;
      assert.equal((read === false ? '' : (read ?? '')).trim(), (type === 'plain' ? texts.text : texts.html).trim());
    }
});
