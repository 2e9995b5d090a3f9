/** Removing a part adds no defect: two independent parsers see the same message as before, without the file. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { after, suite, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { Lab } from './testing/lab.ts';
import { base64, crlf } from './testing/messages.ts';

const lab = new Lab({ rules: { minSize: 1000 } });
after(() => lab.close());

const text = 'Content-Type: text/plain\r\n\r\nHello';
const kept =
  'Content-Type: video/mp4; name=c.bin\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=00abc=8F';
const pdf = (name: string): string =>
  `Content-Type: application/pdf; name=${name}\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(Buffer.alloc(3000, name))}`;

const message = (body: string): Buffer =>
  crlf('From: a@a.example', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', '', body);
const inner = (body: string): string => `Content-Type: multipart/mixed; boundary=in\r\n\r\n${body}`;

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
};

interface Judged {
  readonly defects: readonly string[];
  readonly files: readonly string[];
}

const script = `
import sys, json, hashlib, email, email.policy
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = list(m.walk())
print(json.dumps({'defects': sorted(type(d).__name__ for p in parts for d in p.defects),
  'files': [hashlib.sha256(p.get_payload(decode=True)).hexdigest() for p in parts if not p.is_multipart() and p.get_filename() and not p.get_filename().startswith('Attachments.')]}))`;

function python(bytes: Buffer): Judged {
  const { stdout, stderr, status } = spawnSync('python3', ['-c', script], { input: bytes });
  assert.equal(status, 0, stderr.toString());
  return JSON.parse(stdout.toString()) as Judged;
}

suite('a part is taken out', () => {
  for (const [title, body] of Object.entries(cases))
    test(title, async () => {
      const original = message(body);
      const { message: out, files } = await lab.detach(original);
      assert.ok(files.length > 0);
      assert.deepEqual(await lab.restore(out), original);
      const taken = files.map(({ sha256 }) => sha256);
      const [was, is] = [python(original), python(out)];
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
