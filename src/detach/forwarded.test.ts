/**
 * Messages in messages: forwarded ones, digests (RFC 2046 section 5.1.5), languages (RFC 8255). Each message that had a
 * file tells of it in its own text, since it may be opened alone, and of no other file. Python's `email` reads the
 * result.
 */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { encoded, forwarded, html, message, multipart, pdf, plain } from './testing/entities.ts';
import { Lab, oneByOne } from './testing/lab.ts';
import { PythonEmail, type ReadPart } from './testing/python-email.ts';

const lab = new Lab({ rules: { minSize: 1000 } });
const python = new PythonEmail();
after(async () => {
  python.close();
  await lab.close();
});

/** What a text says: the words of the letter, and then each file that it tells of. */
function told({ text, type }: ReadPart): string {
  const notice =
    type === 'text/html' ? /<div lang="en".*?<\/div>/s.exec(text) : /Attached to this message.*$/s.exec(text);
  const words = (notice ? text.replace(notice[0], '') : text).replace(/<[^>]*>/g, '').trim();
  const files = notice?.[0].match(/[\w-]+\.(?:pdf|jpg)(?=(?:<[^>]*>|\s)*\()/g) ?? [];
  return [words, ...files].join(' | ').trim();
}

/** Whole messages, and what their texts say afterwards, in order. */
type Cases = Readonly<Record<string, readonly [original: Buffer, told: readonly string[]]>>;

function check(cases: Cases): void {
  for (const [title, [original, expected]] of Object.entries(cases))
    test(title, async () => {
      const { message: out, files } = await lab.detach(original);
      assert.ok(files.length > 0);
      assert.deepEqual(await lab.restore(out), original);
      assert.deepEqual((await lab.detach([...oneByOne(original)])).message, out, 'one byte at a time');
      const [was, is] = [await python.read(original), await python.read(out)];
      for (const defect of is.defects) assert.ok(was.defects.includes(defect), `a new ${defect}`);
      assert.deepEqual(is.leaves.map(told), expected);
    });
}

const letter = (words: string, file: string): Buffer =>
  message(multipart('mixed', words.charAt(0), plain(words), pdf(file)));
const both = (words: string): string => multipart('alternative', `alt-${words}`, plain(words), html(words));

suite('forwarded messages', () => {
  check({
    one: [
      message(multipart('mixed', 'o', plain('Outer'), forwarded(letter('Inner', 'a.pdf')))),
      ['Outer | a.pdf', 'Inner | a.pdf'],
    ],
    'one in another': [
      message(
        multipart(
          'mixed',
          'o',
          plain('Outer'),
          forwarded(
            message(multipart('mixed', 'm', plain('Middle'), forwarded(letter('Inner', 'a.pdf')), pdf('m.pdf'))),
          ),
        ),
      ),
      ['Outer | a.pdf | m.pdf', 'Middle | m.pdf', 'Inner | a.pdf'],
    ],
    'one without words around it': [message(forwarded(letter('Inner', 'a.pdf'))), ['Inner | a.pdf']],
    'one in a letter of HTML': [
      message(
        multipart(
          'mixed',
          'o',
          html('Outer'),
          forwarded(message(multipart('mixed', 'm', both('Inner'), pdf('a.pdf')))),
        ),
      ),
      ['Outer | a.pdf', 'Inner | a.pdf', 'Inner | a.pdf'],
    ],
    'one that is nothing but the file': [
      message(multipart('mixed', 'o', plain('Outer'), forwarded(message(pdf('a.pdf'))))),
      ['Outer | a.pdf', '| a.pdf'],
    ],
    'one in an empty letter': [
      message(multipart('mixed', 'o', plain(''), forwarded(letter('Inner', 'a.pdf')))),
      ['| a.pdf', 'Inner | a.pdf'],
    ],
    'as message/global, inline': [
      message(
        multipart(
          'mixed',
          'o',
          plain('Outer'),
          forwarded(letter('Inner', 'a.pdf'), 'Content-Type: message/global\r\nContent-Disposition: inline'),
        ),
      ),
      ['Outer | a.pdf', 'Inner | a.pdf'],
    ],
    'one without files beside one with': [
      message(
        multipart(
          'mixed',
          'o',
          plain('Outer'),
          forwarded(message(plain('Other'))),
          forwarded(letter('Inner', 'a.pdf')),
        ),
      ),
      ['Outer | a.pdf', 'Other', 'Inner | a.pdf'],
    ],
  });
});

suite('digests', () => {
  const digest = (...messages: readonly Buffer[]): string =>
    multipart('digest', 'dg', ...messages.map((each) => `\r\n${each.toString('latin1')}`));
  const one = letter('First', 'one.pdf');
  const three = letter('Third', 'three.pdf');
  check({
    'of a mailing list': [
      message(multipart('mixed', 'o', plain('Topics'), digest(one, message(plain('Second')), three), plain('End'))),
      ['Topics | one.pdf | three.pdf', 'First | one.pdf', 'Second', 'Third | three.pdf', 'End'],
    ],
    'that are the whole message': [message(digest(one, three)), ['First | one.pdf', 'Third | three.pdf']],
    'with the type of each message': [
      message(multipart('digest', 'dg', forwarded(one), forwarded(three))),
      ['First | one.pdf', 'Third | three.pdf'],
    ],
    'with a part that is no message': [
      message(multipart('digest', 'dg', plain('Contents'), forwarded(one))),
      ['Contents', 'First | one.pdf'],
    ],
    'that were forwarded': [
      message(multipart('mixed', 'o', plain('Outer'), forwarded(message(digest(one))))),
      ['Outer | one.pdf', 'First | one.pdf'],
    ],
    'with a forwarded message in one': [
      message(digest(message(multipart('mixed', 'm', plain('First'), forwarded(three))))),
      ['First', 'Third | three.pdf'],
    ],
  });
});

suite('languages', () => {
  const language = (tag: string, entity: string, type = 'message/rfc822'): string =>
    `Content-Type: ${type}\r\nContent-Language: ${tag}\r\nContent-Translation-Type: human\r\n\r\nSubject: ${tag}\r\nMIME-Version: 1.0\r\n${entity}`;
  const preface = plain('Preface');
  const multilingual = (...parts: readonly string[]): string => multipart('multilingual', 'ml', preface, ...parts);
  const two = multilingual(language('en', plain('English')), language('de', plain('Deutsch')));
  const all = ['Preface | a.pdf', 'English | a.pdf', 'Deutsch | a.pdf'];
  check({
    'and a file for all': [message(multipart('mixed', 'o', two, pdf())), all],
    'of message/global': [
      message(
        multipart(
          'mixed',
          'o',
          multilingual(language('en', plain('English'), 'message/global'), language('de', plain('Deutsch'))),
          pdf(),
        ),
      ),
      all,
    ],
    'and a file for those who read none of them': [
      message(
        multilingual(
          language('en', plain('English')),
          language('de', plain('Deutsch')),
          pdf('a.pdf', 'Content-Language: zxx'),
        ),
      ),
      all,
    ],
    'and a picture for those who read none of them': [
      message(
        multilingual(
          language('en', plain('English')),
          language('zxx', encoded('Content-Type: image/jpeg; name=a.jpg', Buffer.alloc(3000, 'a'))),
        ),
      ),
      ['Preface | a.jpg', 'English | a.jpg', '| a.jpg'],
    ],
    'in two forms each': [
      message(
        multipart('mixed', 'o', multilingual(language('en', both('English')), language('de', both('Deutsch'))), pdf()),
      ),
      ['Preface | a.pdf', 'English | a.pdf', 'English | a.pdf', 'Deutsch | a.pdf', 'Deutsch | a.pdf'],
    ],
    'each with a file: whoever reads one may get all': [
      message(
        multilingual(
          language('en', multipart('mixed', 'e', plain('English'), pdf('en.pdf'))),
          language('de', multipart('mixed', 'd', plain('Deutsch'), pdf('de.pdf'))),
        ),
      ),
      ['Preface | en.pdf | de.pdf', 'English | en.pdf | de.pdf', 'Deutsch | en.pdf | de.pdf'],
    ],
    'that were forwarded': [
      message(multipart('mixed', 'f', plain('Outer'), forwarded(message(multipart('mixed', 'o', two, pdf()))))),
      ['Outer | a.pdf', ...all],
    ],
  });
});
