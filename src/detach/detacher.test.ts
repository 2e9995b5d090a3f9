import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { MemoryStore } from '../storage/testing/memory-store.ts';
import { Lab, oneByOne } from './testing/lab.ts';

const store = new MemoryStore();
const lab = new Lab({ store });
after(() => lab.close());

const crlf = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n') + '\r\n', 'latin1');
const base64 = (bytes: Buffer, width = 76): string =>
  bytes.toString('base64').replace(new RegExp(`.{${width}}(?!$)`, 'g'), '$&\r\n');

const pdf = randomBytes(5000);
const mixed = crlf(
  'From: a@a.example',
  'Message-ID: <1@a.example>',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary="b"',
  '',
  'preamble',
  '--b',
  'Content-Type: multipart/alternative; boundary=c',
  '',
  '--c',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'Hello',
  '--c',
  'Content-Type: text/html; charset=utf-8',
  '',
  '<p>Hello</p>',
  '--c--',
  '--b',
  'Content-Type: application/pdf; name=x.pdf',
  'Content-Disposition: attachment; filename=x.pdf',
  'Content-Transfer-Encoding: base64',
  '',
  base64(pdf),
  '--b--',
);

test('a file is stored, a link takes its place, and the original comes back', async () => {
  const { message, files } = await lab.detach(mixed);
  assert.deepEqual(
    files.map(({ name, type, size }) => ({ name, type, size })),
    [{ name: 'x.pdf', type: 'application/pdf', size: 5000 }],
  );
  const text = message.toString('latin1');
  assert.match(text, /^X-Detach-Message: [\w-]{22}\r\nFrom: a@a.example\r\n/);
  assert.ok((text.match(/https:\/\/files\.example\/[\w-]{22}/g)?.length ?? 0) >= 2);
  assert.ok(!text.includes('application/pdf; name'));
  assert.deepEqual(store.files.get(files[0]!.sha256), pdf);
  assert.deepEqual(await lab.restore(message), mixed);
});

test('a door that knows why a message must stay whole is asked when it was read, and nothing is stored', async () => {
  const empty = new MemoryStore();
  const other = new Lab({ store: empty });
  const to = { reversePath: 'sender@a.example', recipients: ['u@b.example'] };
  try {
    assert.deepEqual(await other.detach(mixed, { ...to, keepWhole: () => 'a reason' }), { message: mixed, files: [] });
    assert.equal(empty.files.size + empty.links.size + empty.messages.size, 0);
    assert.equal((await other.detach(mixed, { ...to, keepWhole: () => undefined })).files.length, 1);
  } finally {
    await other.close();
  }
});

test('one byte at a time gives the same', async () => {
  const whole = await lab.detach(mixed);
  const bytewise = await lab.detach([...oneByOne(mixed)]);
  assert.deepEqual(bytewise, whole);
});
