/** Messages that other people collected to break mail software, and what tests make of them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HeaderBlock } from '../../message/header-block.ts';
import { base64 } from './messages.ts';

/** Test messages that Debian ships, by who collected them: Python's `email`, enmime (a MIME library in Go), Mailman. */
const corpora = [
  {
    corpus: 'Python email',
    debian: 'libpython3.11-testsuite',
    folders: ['/usr/lib/python3.11/test/test_email/data'],
    pattern: /^msg_.*\.txt$/,
  },
  {
    corpus: 'enmime',
    debian: 'golang-github-jhillyerd-enmime-dev',
    folders: ['mail', 'parts', 'low-quality'].map(
      (folder) => `/usr/share/gocode/src/github.com/jhillyerd/enmime/testdata/${folder}`,
    ),
    pattern: /\.raw$/,
  },
  {
    corpus: 'flufl.bounce',
    debian: 'python3-flufl.bounce',
    folders: ['/usr/lib/python3/dist-packages/flufl/bounce/tests/data'],
    pattern: /\.txt$/,
  },
] as const;

export interface Sample {
  readonly corpus: string;
  readonly name: string;
  readonly message: Buffer;
}

/** All of them, in the forms that the front door lets in. @throws when a package is missing */
export const corpusMessages = (): Sample[] =>
  corpora.flatMap(({ corpus, debian, folders, pattern }) =>
    folders.flatMap((folder) => {
      assert.ok(existsSync(folder), `test data is missing: install ${debian}`);
      const names = readdirSync(folder).filter((name) => pattern.test(name));
      return names.map((name) => ({ corpus, name, message: crlf(readFileSync(join(folder, name))) }));
    }),
  );

/** In the forms that the front door lets in. */
function crlf(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1').replace(/\r?\n/g, '\r\n');
  return Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1');
}

const boundary = '=_a boundary of our own_=';
const field = `Content-Type: multipart/mixed; boundary="${boundary}"`;
const attachment = [
  'Content-Type: application/pdf; name=x.pdf',
  'Content-Transfer-Encoding: base64',
  '',
  base64(randomBytes(3000)),
].join('\r\n');

function mixed(fields: readonly string[], ...parts: readonly string[]): Buffer {
  const body = parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('');
  return Buffer.from([...fields, field, '', `${body}--${boundary}--`, ''].join('\r\n'), 'latin1');
}

/** The message beside a file, as somebody would forward it. */
export function forwarded(message: Buffer): Buffer {
  const text = 'Content-Type: text/plain; charset=utf-8\r\n\r\nSee below.';
  const inner = `Content-Type: message/rfc822\r\n\r\n${message.toString('latin1').slice(0, -2)}`;
  return mixed(['From: a@a.example', 'MIME-Version: 1.0'], text, inner, attachment);
}

/** The message with a file attached, so that its own texts carry the notice. */
export function withFile(message: Buffer): Buffer {
  const end = message.indexOf('\r\n\r\n');
  const header = HeaderBlock.parse(message.subarray(0, end < 0 ? message.length : end + 2));
  const part = (content: boolean): string[] =>
    header.fields
      .filter(({ key }) => key !== 'mime-version' && key.startsWith('content-') === content)
      .map(({ raw }) => raw.toString('latin1').replace(/\r\n$/, ''));
  const body = end < 0 ? '' : message.toString('latin1', end + 4, message.length - 2);
  return mixed([...part(false), 'MIME-Version: 1.0'], [...part(true), '', body].join('\r\n'), attachment);
}

/** The message with its own files made long enough: the first line of each stretch of base64 many times. */
export function enlarged(message: Buffer): Buffer {
  const text = message.toString('latin1');
  const larger = text.replace(
    /(\r\n\r\n)((?:[A-Za-z0-9+/]{4}){5,19}\r\n)?([A-Za-z0-9+/=]{4,76}(?=\r\n))/g,
    (_, before: string, first: string | undefined, next: string) =>
      before + (first ?? `${next.slice(0, 4).repeat(15)}\r\n`).repeat(50) + next,
  );
  return Buffer.from(larger, 'latin1');
}
