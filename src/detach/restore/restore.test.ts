import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, suite, test } from 'node:test';
import { MemoryStore } from '../../storage/testing/memory-store.ts';
import { Lab } from '../testing/lab.ts';
import { base64, crlf } from '../testing/messages.ts';
import { RestoreError, type RestoreProblem } from './restore-error.ts';

const store = new MemoryStore();
const lab = new Lab({ store });
after(() => lab.close());

const original = crlf(
  'From: A <a@a.example>',
  'To: b@b.example',
  'Subject: a subject that is',
  ' folded',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  '--b',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'Hello, a lone \r and text \r',
  '--b',
  'Content-Type: application/pdf; name=x.pdf',
  'Content-Disposition: attachment; filename=x.pdf',
  'Content-Transfer-Encoding: base64',
  '',
  base64(randomBytes(9000)),
  '--b--',
);
const { message: delivered } = await lab.detach(original);
const text = delivered.toString('latin1');
const manifestLine = /^X-Detach-Message: .*\r\n/.exec(text)![0];
const restore = (changed: string): Promise<Buffer> => lab.restore(Buffer.from(changed, 'latin1'));

suite('what later hops do to the header does no harm', () => {
  const [head, body] = [text.slice(0, text.indexOf('\r\n\r\n') + 2), text.slice(text.indexOf('\r\n\r\n') + 2)];
  const cases: Record<string, string> = {
    nothing: text,
    'fields on top': `Received: by b.example;\r\n\tSun\r\nReturn-Path: <a@a.example>\r\n${text}`,
    'fields at the end': `${head}Message-Id: <added@b.example>\r\nDate: Sun\r\n${body}`,
    'rewritten addresses': text.replace('A <a@a.example>', 'a@elsewhere.example'),
    'another folding': text
      .replace('that is\r\n folded', 'that\r\n  is folded')
      .replace('X-Detach-Message: ', 'X-Detach-Message:\r\n\t'),
    'another order': `${head
      .split('\r\n')
      .reverse()
      .slice(1)
      .filter((l) => !l.startsWith(' '))
      .join('\r\n')}\r\n${body}`,
    'lines ended by LF': text.replaceAll('\r\n', '\n'),
    'an older or forged field of the same name': `X-Detach-Message: ${'A'.repeat(22)}\r\nx-detach-message: no id\r\n${text}`,
  };
  for (const [title, changed] of Object.entries(cases))
    test(title, async () => assert.deepEqual(await restore(changed), original));
});

suite('what cannot be undone is told, and nothing comes out', () => {
  const cases: Record<string, [changed: string, problem: RestoreProblem, words: RegExp]> = {
    'a changed letter': [text.replace('Hello', 'Hallo'), 'changed', /not the one that was delivered/],
    'a footer': [`${text}-- \r\nThe list\r\n`, 'changed', /appended 15 bytes/],
    'an empty line at the end': [`${text}\r\n`, 'changed', /appended 1 empty line/],
    'a lone LF at the end': [`${text}\n`, 'changed', /appended 1 empty line/],
    'empty lines at the end of lines ended by LF': [
      `${text.replaceAll('\r\n', '\n')}\n\n`,
      'changed',
      /appended 2 empty line/,
    ],
    'a cut': [text.slice(0, -40), 'changed', /delivered/],
    'a longer text': [text.replace('Hello', 'Hello there'), 'changed', /delivered/],
    'no field of ours': [text.replace(manifestLine, ''), 'foreign', /no X-Detach-Message/],
    'a field of others': [
      text.replace(manifestLine, `X-Detach-Message: ${'B'.repeat(22)}\r\n`),
      'foreign',
      /no record/,
    ],
    'nothing at all': ['', 'foreign', /no X-Detach-Message/],
  };
  for (const [title, [changed, problem, words]] of Object.entries(cases))
    test(title, () =>
      assert.rejects(
        () => restore(changed),
        (error: unknown) => error instanceof RestoreError && error.problem === problem && words.test(error.message),
      ),
    );
});

suite('storage', () => {
  const { message } = { message: text };
  const fails = (problem: RestoreProblem): Promise<void> =>
    assert.rejects(
      () => restore(message),
      (error: unknown) => error instanceof RestoreError && error.problem === problem,
    );

  test('a file that is gone', async () => {
    const files = [...store.files];
    for (const [sha256] of files) store.tamper(`files/${sha256}`, undefined);
    await fails('fileGone');
    for (const [sha256, bytes] of files) store.tamper(`files/${sha256}`, bytes);
  });

  test('a file with other content', async () => {
    const files = [...store.files];
    for (const [sha256, bytes] of files) store.tamper(`files/${sha256}`, Buffer.alloc(bytes.length));
    await fails('fileGone');
    for (const [sha256, bytes] of files) store.tamper(`files/${sha256}`, bytes);
  });

  test('storage that cannot be reached', async () => {
    store.down = true;
    await fails('storage');
    store.down = false;
  });

  test('a record of a later version', async () => {
    const id = manifestLine.slice('X-Detach-Message: '.length).trim();
    const record = store.messages.get(id)!;
    store.tamper(`messages/${id}`, Buffer.from('{"v":2}'));
    await fails('foreign');
    store.tamper(`messages/${id}`, record);
  });
});

/** The last part of a multipart with the boundary `b`. */
const pictureAtEnd = (): readonly string[] => [
  '--b',
  'Content-Type: image/png; name=x.png',
  'Content-Transfer-Encoding: base64',
  '',
  base64(randomBytes(9000)),
  '--b--',
];

test('a text in base64 whose lines end in LF comes back', async () => {
  const sent = crlf(
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    base64(Buffer.from('Dear all,\n\nhere it is.\n-- \nMe\n')),
    ...pictureAtEnd(),
  );
  const { message, files } = await lab.detach(sent);
  assert.equal(files.length, 1);
  const [, carrier = ''] = message.toString('latin1').split('--b\r\n');
  const read = Buffer.from(carrier.slice(carrier.indexOf('\r\n\r\n')), 'base64').toString();
  assert.match(read, /here it is\.\n\n[^]*https:[^]*\n\n-- \nMe\n$/);
  assert.ok(!read.includes('\r'), read);
  assert.deepEqual(await lab.restore(message), sent);
});

test('a message that was detached twice comes back in two steps', async () => {
  const second = new Lab({ store, rules: { minSize: 10 } });
  const once = crlf(
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: application/pdf; name=x.pdf',
    '',
    'x'.repeat(1500),
    ...pictureAtEnd(),
  );
  const first = await lab.detach(once);
  const twice = await second.detach(first.message);
  assert.equal(twice.files.length, 1);
  assert.deepEqual(await second.restore(twice.message), first.message);
  assert.deepEqual(await second.restore(first.message), once);
  await second.close();
});
