/**
 * Messages that other people collected to break mail software, detached and compared by judges of other makes: what
 * `mailparser` and Python's `email` see before must be what they see afterwards, taken together with what was stored.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { simpleParser, type ParsedMail } from 'mailparser';
import { MemoryStore } from '../storage/testing/memory-store.ts';
import { Lab, oneByOne } from './testing/lab.ts';
import { base64 } from './testing/messages.ts';

/** Test messages that Debian ships: of Python's `email`, and of enmime, a MIME library in Go. */
const python = ['/usr/lib/python3.11', '/usr/lib/python3']
  .map((path) => join(path, 'test/test_email/data'))
  .find((path) => existsSync(path));
assert.ok(python, 'Python’s test data is missing: install libpython3.11-testsuite');
const enmime = '/usr/share/gocode/src/github.com/jhillyerd/enmime/testdata';
assert.ok(existsSync(enmime), 'the test data of enmime is missing: install golang-github-jhillyerd-enmime-dev');

const messages = [
  ...collect(python, /^msg_.*\.txt$/),
  ...['mail', 'parts', 'low-quality'].flatMap((folder) => collect(join(enmime, folder), /\.raw$/)),
];

function collect(folder: string, pattern: RegExp): (readonly [name: string, message: Buffer])[] {
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .map((name) => [name, crlf(readFileSync(join(folder, name)))] as const);
}

/** In the forms that the front door lets in. */
function crlf(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1').replace(/\r?\n/g, '\r\n');
  return Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1');
}

/** The message beside a file, as somebody would forward it. */
function forwarded(message: Buffer): Buffer {
  const lines = [
    'From: a@a.example',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="=_a boundary of our own_="',
    '',
    '--=_a boundary of our own_=',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'See below.',
    '--=_a boundary of our own_=',
    'Content-Type: message/rfc822',
    '',
    `${message.toString('latin1')}--=_a boundary of our own_=`,
    'Content-Type: application/pdf; name=x.pdf',
    'Content-Transfer-Encoding: base64',
    '',
    base64(randomBytes(3000)),
    '--=_a boundary of our own_=--',
    '',
  ];
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

const store = new MemoryStore();
/** Small, since the messages are. */
const lab = new Lab({ store, rules: { minSize: 1000 } });
after(() => lab.close());

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Run {
  readonly name: string;
  readonly before: Buffer;
  readonly after: Buffer;
  readonly files: readonly string[];
}

const runs: Run[] = [];
for (const [name, message] of messages)
  for (const [variant, before] of [
    [name, message],
    [`${name} forwarded`, forwarded(message)],
  ] as const) {
    const out = await lab.detach(before);
    runs.push({ name: variant, before, after: out.message, files: out.files.map((file) => file.sha256) });
  }

suite('the corpus comes back byte for byte', () => {
  for (const { name, before, after: detached, files } of runs)
    test(name, async () => {
      assert.deepEqual((await lab.detach([...oneByOne(before)])).message, detached);
      if (files.length === 0) assert.deepEqual(detached, before);
      else assert.deepEqual(await lab.restore(detached), before);
    });
});

test('the corpus has something to detach and something to leave alone', (t) => {
  const detached = runs.filter(({ files }) => files.length > 0).length;
  t.diagnostic(`${messages.length} messages, alone and forwarded: ${detached} of ${runs.length} had a file detached`);
  assert.ok(detached >= messages.length && detached < runs.length, `${detached} of ${runs.length}`);
});

suite('mailparser sees the same texts and files', () => {
  const hashes = (mail: ParsedMail): string[] => mail.attachments.map(({ content }) => sha256(content));
  const lines = (mail: ParsedMail): string[] =>
    (mail.text ?? '')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  for (const { name, before, after: detached, files } of runs.filter((run) => run.files.length > 0))
    test(name, async () => {
      const [was, is] = [await simpleParser(before), await simpleParser(detached)];
      const found = [...hashes(is), ...files];
      for (const hash of hashes(was).filter((h) => !isForwarded(was, h))) assert.ok(found.includes(hash));
      const seen = lines(is);
      for (const line of lines(was)) {
        const at = seen.indexOf(line);
        assert.ok(at >= 0, `missing: ${line}`);
        seen.splice(0, at + 1);
      }
    });

  /** A forwarded message is itself a file to mailparser, and changes when a file leaves it. */
  function isForwarded(mail: ParsedMail, hash: string): boolean {
    return mail.attachments.some((a) => sha256(a.content) === hash && a.contentType === 'message/rfc822');
  }
});

test('Python’s email sees the same leaves', () => {
  const script = `
import sys, json, hashlib, email, email.policy
out = []
for line in sys.stdin:
    m = email.message_from_bytes(json.loads(line).encode('latin1'))
    leaves = []
    for p in m.walk():
        if not p.is_multipart():
            payload = p.get_payload(decode=True) or b''
            leaves.append([p.get_content_type(), hashlib.sha256(payload).hexdigest(), payload.decode('latin1')[:300]])
    print(json.dumps(leaves))
`;
  const changed = runs.filter(({ files }) => files.length > 0);
  const input = changed
    .flatMap((run) => [run.before, run.after])
    .map((bytes) => JSON.stringify(bytes.toString('latin1')));
  const { stdout, stderr, status } = spawnSync('python3', ['-c', script], { input: input.join('\n'), maxBuffer: 1e9 });
  assert.equal(status, 0, stderr.toString());
  const leaves = stdout
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as [type: string, sha256: string, text: string][]);
  for (const [i, { name, files }] of changed.entries()) {
    const [was, is] = [leaves[2 * i]!, leaves[2 * i + 1]!];
    const found = [...is.map(([, hash]) => hash), ...files];
    const missing = was.filter(([, hash]) => !found.includes(hash));
    // One text, and its alternative, carry the notice.
    assert.ok(missing.length <= 2 && missing.every(([type]) => /^text\/(plain|html)$/.test(type)), name);
    for (const [type, , text] of missing)
      assert.ok(
        is.some(([t, , now]) => t === type && now.startsWith(text.trimEnd().slice(0, 20))),
        `${name}: ${text}`,
      );
  }
});
