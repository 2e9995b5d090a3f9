/** Messages made to cost more than their bytes, each beside a file in base64 of the same size. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, suite, test } from 'node:test';
import { Failure } from '../smtp/failures.ts';
import { costOf } from './testing/cost.ts';
import { Lab, silentLog } from './testing/lab.ts';
import { letterWithFile } from './testing/messages.ts';

const mebibyte = 1024 * 1024;
const size = 4 * mebibyte;

/**
 * Milliseconds of slack: what the rest of the program costs besides for a file of this size, and what reaching a limit
 * costs once for each message on a busy machine. Quoted-printable of full lines, octet by octet, needs 80 of it on a
 * processor that hashes in hardware, where the file in base64 takes 14. An attack costs seconds.
 */
const slackMs = 180;

const mostTries = 8;

const said: string[] = [];
const log = {
  ...silentLog,
  info: (event: string, about?: object) => void said.push(`${event} ${JSON.stringify(about)}`),
};
const lab = new Lab({ log, rules: { minSize: mebibyte, maxDepth: 20 } });
after(() => lab.close());

const text = (value: string): Buffer => Buffer.from(value, 'latin1');
const fill = (unit: string, bytes = size): Buffer => Buffer.alloc(bytes - (bytes % unit.length), unit, 'latin1');

function mixed(...parts: readonly (string | Buffer)[]): Buffer {
  const head = 'From: a@a.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n';
  const all = parts.map((part) => (typeof part === 'string' ? text(part) : part));
  return Buffer.concat([text(head), ...all, text('\r\n--b--\r\n')]);
}

const base64Lines = (bytes: Buffer): string => bytes.toString('base64').replace(/.{76}/g, '$&\r\n');
const numbered = (before: string, after: string): string =>
  Array.from({ length: 250_000 }, (_, i) => before + i.toString(36) + after).join('');

const part = (head: string, body: string | Buffer): Buffer => mixed(`--b\r\n${head}\r\n\r\n`, body);
const manyParts = (head: string, body = 'x'): Buffer => mixed(fill(`--b\r\n${head}\r\n\r\n${body}\r\n`));
const file = (encoding: string, body: string | Buffer): Buffer =>
  part(`Content-Type: application/pdf\r\nContent-Transfer-Encoding: ${encoding}`, body);

/** The HTML text shows this picture, so it stays and is encoded again on the way out. */
const picture = (encoding: string, body: Buffer): Buffer =>
  mixed(
    '--b\r\nContent-Type: text/html\r\n\r\n<img src="cid:one@x">\r\n',
    `--b\r\nContent-Type: image/png\r\nContent-ID: <one@x>\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`,
    body,
  );

function nested(levels: number, body: Buffer): Buffer {
  const name = (level: number): string => `b${String(level).padStart(2, '0')}`;
  const heads = Array.from(
    { length: levels },
    (_, i) => `${i > 0 ? `--${name(i - 1)}\r\n` : ''}Content-Type: multipart/mixed; boundary=${name(i)}\r\n\r\n`,
  );
  return Buffer.concat([text(`${heads.join('')}--${name(levels - 1)}\r\n\r\n`), body]);
}

const withRoot = (field: string): Buffer => Buffer.concat([text(`${field}\r\n\r\n`), fill('text\r\n', 2 * mebibyte)]);
const longRoot = (before: string, unit: string): Buffer =>
  withRoot(before + unit.repeat(Math.floor((1.9 * mebibyte) / unit.length)));

/** Eight forms of a letter, in each of which the place of the notice has to be found. */
function letters(type: string, unit: string): Buffer {
  const forms = Array.from({ length: 8 }, () => [
    text(`--i\r\nContent-Type: ${type}; charset=utf-8\r\n\r\n`),
    fill(unit, 500 * 1024),
    text('\r\n'),
  ]);
  return mixed(
    '--b\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n',
    ...forms.flat(),
    '--i--\r\n--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n',
    base64Lines(randomBytes(mebibyte)),
  );
}

interface Attack {
  readonly message: Buffer;
  /** What the log says. */
  readonly says?: RegExp;
  readonly files?: number;
}

const attacks: Record<string, Attack> = {
  'lines of two dashes': { message: part('', fill('--\r\n')) },
  'lines of two dashes, in a file': { message: file('7bit', fill('--\r\n')), files: 1 },
  'lines of two dashes before the first part': { message: mixed(fill('--\r\n')) },
  'lines that begin with the boundary': {
    message: part('', fill('--b1\r\n')),
    says: /more than 10000 lines that begin like a delimiter/,
  },
  'lines that begin with the boundary, in a file': {
    message: file('base64', fill('--b1\r\n')),
    says: /more than 10000 lines that begin like a delimiter/,
  },
  'lines of nearly the boundary on 20 levels': {
    message: nested(20, fill('--b0\r\n')),
    says: /more than 500000 lines that resemble a delimiter/,
  },
  'a delimiter again and again': { message: mixed(fill('--b\r\n')), says: /more than 2500 parts/ },
  'different references in HTML': { message: part('Content-Type: text/html', numbered('cid:', '%41 ')) },
  'different places in HTML': { message: part('Content-Type: text/html', numbered('src=&#65;', ' ')) },
  'references in HTML in base64': {
    message: part(
      'Content-Type: text/html\r\nContent-Transfer-Encoding: base64',
      base64Lines(fill('href=cid:x ', 3 * mebibyte)),
    ),
  },
  'references in HTML in UTF-16': {
    message: part('Content-Type: text/html; charset=utf-16le', fill('c\0i\0d\0:\0')),
  },
  'references in HTML': { message: part('Content-Type: text/html', fill('cid:x ')) },
  'addresses in HTML': { message: part('Content-Type: text/html', fill('href=x ')) },
  'references to parts of other messages': { message: part('Content-Type: text/html', fill('mid:')) },
  'long references to parts of other messages': {
    message: part('Content-Type: text/html', fill(`mid:${'x'.repeat(199)}`)),
  },
  'a calendar of values that are no references': {
    message: part('Content-Type: text/calendar', fill('value=content-id')),
  },
  'a calendar of values with parameters': {
    message: part('Content-Type: text/calendar', fill('value=content-id;')),
  },
  'a calendar of folded lines of one character': { message: part('Content-Type: text/calendar', fill('A\r\n ')) },
  'a calendar of files': { message: part('Content-Type: text/calendar', fill('\r\nattach;"";"":x')) },
  'a calendar of parameters': {
    message: part('Content-Type: text/calendar', fill(`\r\nattach;${'x'.repeat(99)}"${'y'.repeat(149)}"`)),
  },
  'HTML all in escapes': {
    message: part('Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable', fill('=41')),
  },
  'HTML of soft line breaks': {
    message: part('Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable', fill('=\r\n')),
  },
  'HTML in base64 with something else in between': {
    message: part('Content-Type: text/html\r\nContent-Transfer-Encoding: base64', fill('A-')),
  },
  'letters in HTML of lines of one character': { message: letters('text/html', 'a<br>'), files: 1 },
  'letters in HTML of preformatted lines': { message: letters('text/html', `<pre>${'a\n'.repeat(100)}`), files: 1 },
  'letters in HTML of nothing but tags': { message: letters('text/html', '<i a>'), files: 1 },
  'letters in HTML of attributes': { message: letters('text/html', `<i ${'a=b '.repeat(100)}>`), files: 1 },
  'letters in HTML of lines that nearly name an author': { message: letters('text/html', 'On 1 a:<br>'), files: 1 },
  'letters of lines of one character': { message: letters('text/plain', 'a\r\n'), files: 1 },
  'letters of quotations and words': { message: letters('text/plain', '> a\r\nb\r\n'), files: 1 },
  'letters of lines that nearly name an author': { message: letters('text/plain', 'On 1 a:\r\n'), files: 1 },
  'base64 with a blank after each character': { message: file('base64', fill('A ', 4 * mebibyte - 8)), files: 1 },
  'base64 with lines of four characters and a blank': { message: file('base64', fill('AAAA \r\n')), files: 1 },
  'base64 of one line': { message: file('base64', fill('AAAA')), files: 1 },
  'base64 with lines of other lengths': { message: file('base64', fill('AAAA\r\nAAA\r\n')) },
  'a picture in lines of one character': { message: picture('base64', fill('A\r\n', 4 * mebibyte - 4)) },
  'quoted-printable with a soft line break after each character': {
    message: file('quoted-printable', fill('a=\r\n')),
  },
  'quoted-printable with lines that are just long enough': {
    message: file('quoted-printable', fill('1234567890\r\n')),
    files: 1,
  },
  'quoted-printable with lines of one character': { message: file('quoted-printable', fill('a\r\n')) },
  'a picture in quoted-printable with escapes of both kinds': {
    message: picture('quoted-printable', fill(`${'=AB=cd'.repeat(12)}=\r\n`)),
  },
  'a picture in quoted-printable with full lines': {
    message: picture('quoted-printable', fill(`${'x'.repeat(75)}=\r\n`)),
  },
  'a picture in quoted-printable with short lines': {
    message: picture('quoted-printable', fill('Some text with =C3=A9 and more of it,=\r\ngoing on\r\n')),
  },
  'many texts in quoted-printable': {
    message: manyParts('Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable', '=41'.repeat(120)),
    says: /more than 2500 parts/,
  },
  'many small files': {
    message: manyParts('Content-Type: application/pdf; name="a.pdf"', 'x'.repeat(380)),
    says: /more than 2500 parts/,
  },
  'empty parts': { message: manyParts(''), says: /more than 2500 parts/ },
  'forwarded messages': {
    message: manyParts('Content-Type: message/rfc822\r\n\r\nContent-Type: text/plain'),
    says: /more than 2500 parts/,
  },
  'parts with long fields': {
    message: manyParts(`Content-Type: text/plain; ${'a=b;'.repeat(3900)}`),
    says: /more than 1048576 bytes of part headers/,
  },
  'parts with many comments': {
    message: manyParts(`Content-Type: text/plain; ${'('.repeat(16_000)}`),
    says: /part headers/,
  },
  'parts with many encoded words': {
    message: manyParts(`Content-Type: text/plain; name="${'=?utf-8?q?x?= '.repeat(1100)}"`),
    says: /part headers/,
  },
  'parts with names in many pieces': {
    message: manyParts(`Content-Type: text/plain; ${Array.from({ length: 1200 }, (_, i) => `name*${i}=a;`).join('')}`),
    says: /part headers/,
  },
  'parts with many fields': { message: manyParts(`${'a:\r\n'.repeat(4000)}b:`), says: /part headers/ },
  'a type of 1.9 MB with parameters': {
    message: longRoot('Content-Type: multipart/mixed; boundary=b; ', 'a=b;'),
    says: /a Content- field of more than 16384 bytes/,
  },
  'a type of 1.9 MB with comments': { message: longRoot('Content-Type: text/plain; ', '('), says: /Content- field/ },
  'a disposition of 1.9 MB': {
    message: longRoot('Content-Disposition: attachment; ', 'a*0=b;'),
    says: /Content- field/,
  },
  'a Message-ID of 1.9 MB': {
    message: longRoot('Message-ID: <', 'a\r\n '),
    says: /a header of more than 524288 bytes/,
  },
  'a header of continuation lines': { message: longRoot('X: ', '\r\n '), says: /a header of more than 524288 bytes/ },
  'a header of 8193 fields': {
    message: withRoot(`${'a:\r\n'.repeat(8192)}a:`),
    says: /a header of more than 8192 fields/,
  },
};

suite('a message costs at most three times a file of its size, and holds up nobody', { concurrency: false }, () => {
  for (const [title, { message, says, files = 0 }] of Object.entries(attacks))
    test(title, async () => {
      said.length = 0;
      await costsLittle({ message, files });
      assert.equal(said.length > 0, says !== undefined, said[0]);
      if (says) assert.match(said[0]!, new RegExp(`^passed-whole .*${says.source}`));
      const { message: passed } = await lab.detach(message);
      if (files === 0) assert.ok(passed.equals(message), 'it passes as it came');
      else assert.ok((await lab.restore(passed)).equals(message));
    });
});

/**
 * Other processes on the machine can only add to what is measured. A message whose real cost is within the limit passes
 * in at least one of a few tries; one whose cost is beyond the limit passes in none.
 */
async function costsLittle({ message, files }: { message: Buffer; files: number }): Promise<void> {
  const plain = letterWithFile(randomBytes(Math.floor(message.length / 1.37)));
  const tries: string[] = [];
  while (tries.length < mostTries) {
    const innocent = await costOf(lab.detacher, plain);
    assert.equal(innocent.files, 1);
    const cost = await costOf(lab.detacher, message);
    assert.equal(cost.files, files);
    if (cost.cpu <= 3 * innocent.cpu + slackMs && cost.longestTurn <= 50) return;
    tries.push(JSON.stringify({ cost, innocent }));
  }
  assert.fail(tries.join('\n'));
}

suite('limits of the header', () => {
  test('half a megabyte with 8192 fields is read', async () => {
    const header = `${'a:\r\n'.repeat(8000)}X: ${'\x01'.repeat(480_000)}\r\n`;
    const message = Buffer.concat([text(header), letterWithFile(randomBytes(2 * mebibyte))]);
    const { message: passed } = await lab.detach(message);
    assert.ok(passed.length < mebibyte);
    assert.ok((await lab.restore(passed)).equals(message));
  });

  test('131,072 fields pass, one more is refused with 552', async () => {
    const most = Buffer.concat([fill('a:\r\n', 4 * 131_072), text('\r\nx\r\n')]);
    assert.ok((await lab.detach(most)).message.equals(most));
    await assert.rejects(
      () => lab.detach(Buffer.concat([text('a:\r\n'), most])),
      (error: unknown) => error instanceof Failure && error.kind === 'headerTooLarge' && error.reply.code === 552,
    );
  });
});
