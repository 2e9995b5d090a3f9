/** Removing a part adds no defect: two independent parsers see the same message as before, without the file. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, suite, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { Lab } from './testing/lab.ts';
import { base64, crlf } from './testing/messages.ts';
import { PythonEmail } from './testing/python-email.ts';

const lab = new Lab({ rules: { minSize: 1000 } });
const python = new PythonEmail();
after(async () => {
  python.close();
  await lab.close();
});

const text = 'Content-Type: text/plain\r\n\r\nHello';
const kept =
  'Content-Type: video/mp4; name=c.bin\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=00abc=8F';
const pdf = (name: string): string =>
  `Content-Type: application/pdf; name=${name}\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(Buffer.alloc(3000, name))}`;

const message = (body: string): Buffer =>
  crlf('From: a@a.example', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', '', body);
const inner = (body: string): string => `Content-Type: multipart/mixed; boundary=in\r\n\r\n${body}`;

/** An entity whose boundary begins as the one of the message does. */
const similar = (boundary: string, ...rest: readonly string[]): string =>
  `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n${rest.join('\r\n')}`;

const cases: Record<string, string> = {
  'closed as it should be': `--b\r\n${text}\r\n--b\r\n${kept}\r\n--b\r\n${pdf('a')}\r\n--b--`,
  'never closed': `--b\r\n${text}\r\n--b\r\n${kept}\r\n--b\r\n${pdf('a')}`,
  'never closed, two files at the end': `--b\r\n${kept}\r\n--b\r\n${pdf('a')}\r\n--b\r\n${pdf('b')}`,
  'closed by the one around it': `--b\r\n${inner(`--in\r\n${text}\r\n--in\r\n${kept}\r\n--in\r\n${pdf('a')}`)}\r\n--b\r\n${text}\r\n--b--`,
  'closed by the end of the one around it': `--b\r\n${inner(`--in\r\n${kept}\r\n--in\r\n${pdf('a')}`)}\r\n--b--`,
  'with blanks after the delimiter': `--b\r\n${kept}\r\n--b \t\r\n${pdf('a')}\r\n--b--  `,
  'a file between others': `--b\r\n${text}\r\n--b\r\n${pdf('a')}\r\n--b\r\n${kept}\r\n--b--`,
  'a doubled delimiter': `--b\r\n${text}\r\n--b\r\n--b\r\n${pdf('a')}\r\n--b--`,
  'a tripled delimiter': `--b\r\n${kept}\r\n--b\r\n--b\r\n--b\r\n${pdf('a')}\r\n--b--`,
  'a doubled delimiter at the beginning': `--b\r\n--b\r\n${pdf('a')}\r\n--b\r\n${text}\r\n--b--`,
  'a doubled delimiter and nothing else': `--b\r\n--b\r\n${pdf('a')}\r\n--b--`,
  'a doubled delimiter before what stays': `--b\r\n${pdf('a')}\r\n--b\r\n--b\r\n${kept}\r\n--b--`,
  'a doubled delimiter that is never closed': `--b\r\n${kept}\r\n--b\r\n--b\r\n${pdf('a')}`,
  'an inner boundary that begins as the outer one': `--b\r\n${similar('b1', '--b1', kept, '--b1', pdf('a'), '--b1--')}\r\n--b\r\n${pdf('c')}\r\n--b--`,
  'the same, never closed': `--b\r\n${similar('b1', '--b1', kept, '--b1', pdf('a'))}\r\n--b\r\n${pdf('c')}`,
  'three that begin alike, closed by the outermost': `--b\r\n${similar('bb', '--bb', similar('bbb', '--bbb', kept, '--bbb', pdf('a')))}\r\n--b\r\n${text}\r\n--b--`,
  'an inner boundary with a hyphen more': `--b\r\n${similar('b-', '--b-', kept, '--b-', pdf('a'), '--b---')}\r\n--b\r\n${pdf('c')}\r\n--b--`,
  'a boundary with a blank in it': `--b\r\n${similar('b c', '--b c', kept, '--b c', pdf('a'), '--b c--')}\r\n--b--`,
  'blanks after inner delimiters': `--b \r\n${similar('b1', '--b1\t ', kept, '--b1  ', pdf('a'), '--b1-- \t')}\r\n--b \t\r\n${pdf('c')}\r\n--b-- `,
  'blanks after a doubled delimiter': `--b\r\n${kept}\r\n--b \r\n--b\t\r\n${pdf('a')}\r\n--b--\t`,
  'blanks after the delimiter, never closed': `--b\r\n${kept}\r\n--b \t\r\n${pdf('a')}`,
  'a doubled delimiter with a blank line between': `--b\r\n${kept}\r\n--b\r\n\r\n--b\r\n${pdf('a')}\r\n--b--`,
  'a doubled delimiter in an inner multipart': `--b\r\n${inner(`--in\r\n${kept}\r\n--in\r\n--in\r\n${pdf('a')}\r\n--in--`)}\r\n--b--`,
  'a doubled end': `--b\r\n${kept}\r\n--b\r\n${pdf('a')}\r\n--b--\r\n--b--`,
  'a part behind the end': `--b\r\n${kept}\r\n--b\r\n${pdf('a')}\r\n--b--\r\n--b\r\n${text}\r\n--b--`,
  'words behind the end': `--b\r\n${kept}\r\n--b\r\n${pdf('a')}\r\n--b--\r\nan epilogue\r\n`,
  'words and near misses before the first part': `words\r\n--bx\r\n-b\r\n --b\r\n--b\r\n${kept}\r\n--b\r\n${pdf('a')}\r\n--b--`,
  'blank lines around a file': `--b\r\n${kept}\r\n--b\r\n${pdf('a')}\r\n\r\n\r\n--b\r\n${text}\r\n\r\n--b--`,
  'a forwarded message that is never closed': `--b\r\n${text}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMIME-Version: 1.0\r\n${inner(`--in\r\n${kept}\r\n--in\r\n${pdf('a')}`)}\r\n--b--`,
  'two forwarded messages with the same boundary': `--b\r\n${text}${`\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMIME-Version: 1.0\r\n${inner(`--in\r\n${kept}\r\n--in\r\n${pdf('a')}\r\n--in--`)}`.repeat(2)}\r\n--b--`,
};

interface Judged {
  readonly defects: readonly string[];
  readonly files: readonly string[];
}

async function read(bytes: Buffer): Promise<Judged> {
  const { leaves, defects } = await python.read(bytes);
  const named = leaves.filter(({ name }) => name !== null && !name.startsWith('Attachments.'));
  return { defects, files: named.map(({ sha256 }) => sha256) };
}

suite('a part is taken out', () => {
  for (const [title, body] of Object.entries(cases))
    test(title, async () => {
      const original = message(body);
      const { message: out, files } = await lab.detach(original);
      assert.ok(files.length > 0);
      assert.deepEqual(await lab.restore(out), original);
      const taken = files.map(({ sha256 }) => sha256);
      const [was, is] = [await read(original), await read(out)];
      for (const defect of is.defects) assert.ok(was.defects.includes(defect), `a new ${defect}`);
      const stayed = (hashes: readonly string[]): string[] => hashes.filter((hash) => !taken.includes(hash)).sort();
      assert.deepEqual(stayed(is.files), stayed(was.files));
      const hashes = async (bytes: Buffer): Promise<string[]> =>
        (await simpleParser(bytes)).attachments
          .filter(({ filename = '' }) => filename !== '' && !filename.startsWith('Attachments.'))
          .map(({ content }) => createHash('sha256').update(content).digest('hex'));
      assert.deepEqual(stayed(await hashes(out)), stayed(await hashes(original)));
    });
});
