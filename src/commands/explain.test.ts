import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { base64, crlf } from '../detach/testing/messages.ts';
import { differences } from './explain/compare.ts';
import type { ExplainedPart, Explanation } from './explain/explanation.ts';
import type { MailReading, SeenFile } from './explain/mail-program.ts';
import { runCommand } from './testing/run-command.ts';

const secret = `${'S'.repeat(42)}A=`;
const env = {
  DETACH_OUTBOUND_NEXT_HOP: '127.0.0.1:10026',
  DETACH_LOOPGUARD_CLUSTER: 'test',
  DETACH_LOOPGUARD_KEYS: `k1:${secret}`,
  // Nothing listens on this port, so every request to storage fails.
  DETACH_STORAGE_CONNECTION_STRING: `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=${secret};BlobEndpoint=http://127.0.0.1:9/a`,
  DETACH_LINKS_BASE_URL: 'https://files.example.com',
  DETACH_LINKS_SECRET: secret,
  DETACH_DETACH_MIN_SIZE: '10KiB',
};

const part = (head: string, size: number): string[] => [
  head,
  'Content-Transfer-Encoding: base64',
  '',
  base64(randomBytes(size)),
];

/** A letter with a picture that it shows, two files, and a forwarded message with a file. */
const letter = crlf(
  'From: "Z" <z@a.example>',
  'Subject: x',
  'Message-ID: <1@a.example>',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=x',
  '',
  '--x',
  'Content-Type: multipart/related; boundary=r; type="text/html"',
  '',
  '--r',
  'Content-Type: text/html; charset=utf-8',
  '',
  '<html><body><p>Hello</p><img src="cid:pic@a"></body></html>',
  '--r',
  ...part('Content-Type: image/png; name=pic.png\r\nContent-ID: <pic@a>', 20_000),
  '--r--',
  '--x',
  ...part('Content-Type: application/pdf; name="report.pdf"', 30_000),
  '--x',
  ...part('Content-Type: application/zip; name="small.zip"', 300),
  '--x',
  'Content-Type: message/rfc822',
  '',
  'Subject: inner',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=y',
  '',
  '--y',
  '',
  'inner text',
  '--y',
  ...part('Content-Type: video/mp4; name=film.mp4', 15_000),
  '--y--',
  '--x--',
);

async function explain(
  message: Buffer,
  words: readonly string[] = [],
  more: NodeJS.ProcessEnv = {},
): Promise<Explanation> {
  const { status, stdout, stderr } = await runCommand(['explain', '--json', ...words], {
    env: { ...env, ...more },
    input: message,
  });
  assert.equal(stderr, '');
  assert.equal(status, 0, stdout);
  return JSON.parse(stdout) as Explanation;
}

const flat = (parts: readonly ExplainedPart[]): ExplainedPart[] => parts.flatMap((p) => [p, ...flat(p.parts)]);
const verdicts = ({ parts }: Explanation): string[] =>
  flat(parts)
    .filter(({ does }) => does !== 'holds')
    .map(({ section, does, reason }) => [section, does, ...(reason === null ? [] : [reason])].join(' '));

test('each part, why it stays or goes, and what a mail program sees before and after', async () => {
  const explanation = await explain(letter);
  assert.deepEqual(verdicts(explanation), [
    '1.1 stays text',
    '1.2 stays shown',
    '2 goes',
    '3 stays small',
    '4.1 stays text',
    '4.2 goes',
  ]);
  const { from, detached, bytesBefore, bytesAfter, notice, mailProgram } = explanation;
  assert.equal(from, 'z@a.example');
  assert.equal(detached, true);
  assert.equal(bytesBefore, letter.length);
  assert.ok(bytesAfter < bytesBefore - 60_000 && bytesAfter > 27_000);
  const report = flat(explanation.parts).find(({ section }) => section === '2')!;
  assert.equal(report.name, 'report.pdf');
  assert.equal(report.size, 30_000);
  assert.match(report.url ?? '', /^https:\/\/files\.example\.com\/[\w-]{22}$/);
  assert.ok(notice?.texts[0]?.includes(report.url ?? '-'));
  assert.ok((notice?.places.length ?? 0) > 0);
  const names = (reading: MailReading | null): unknown[] =>
    reading?.files.map(({ name, inline }) => [name, inline]) ?? [];
  assert.deepEqual(names(mailProgram.before).length, 4);
  assert.deepEqual(names(mailProgram.after), [
    ['pic.png', true],
    ['small.zip', false],
  ]);
  assert.deepEqual(mailProgram.differences, []);
});

test('the same with lines that end in LF, and the same link as for every try of the message', async () => {
  const a = await explain(letter);
  const b = await explain(Buffer.from(letter.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'));
  assert.deepEqual(b.parts, a.parts);
});

test('why a whole message stays', async () => {
  const whole = async (words: readonly string[], more?: NodeJS.ProcessEnv): Promise<string | null> => {
    const { detached, reason, bytesBefore, bytesAfter } = await explain(letter, words, more);
    assert.equal(detached, false);
    assert.equal(bytesAfter, bytesBefore);
    return reason;
  };
  assert.equal(await whole(['--from', '<>']), 'null reverse-path');
  assert.equal(await whole([], { DETACH_DETACH_EXEMPT_SENDERS: 'a.example' }), 'exempt sender');
  const asked = { DETACH_DETACH_OPT_OUT_FIELD: 'Subject', DETACH_DETACH_OPT_OUT_SENDERS: 'a.example' };
  const askedFor = Buffer.from(letter.toString('latin1').replace('Subject: x', 'Subject: no'), 'latin1');
  assert.equal((await explain(askedFor, [], asked)).reason, 'opted out');
  const exempt = { DETACH_DETACH_EXEMPT_RECIPIENTS: 'b.example' };
  assert.equal(await whole(['--to', 'u@b.example'], exempt), 'exempt recipients');
  const mixed = await explain(letter, ['--to', 'u@b.example', '--to', 'v@c.example'], exempt);
  assert.deepEqual(mixed.to, [
    { address: 'u@b.example', exempt: true },
    { address: 'v@c.example', exempt: false },
  ]);
  assert.equal(mixed.detached, true);
});

test('more parts than mailparser takes: explained all the same, and not compared', async () => {
  const head = ['From: z@a.example', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=x', ''];
  const many = Array.from({ length: 2000 }, () => '--x\r\n\r\nx');
  const file = part('Content-Type: application/pdf; name="report.pdf"', 30_000);
  const { detached, mailProgram } = await explain(crlf(...head, ...many, '--x', ...file, '--x--'));
  assert.ok(detached);
  assert.match(mailProgram.skipped ?? '', /mailparser\) refuses the message: /);
});

test("more text than a mail program's reading may hold in memory: explained, and not compared", async () => {
  const head = crlf('From: z@a.example', 'Content-Type: text/plain', '');
  const { mailProgram } = await explain(Buffer.concat([head, Buffer.alloc(17 * 1024 * 1024, '> quoted again\r\n')]));
  assert.equal(mailProgram.skipped, 'its texts are larger than 16777216 bytes');
});

test('a small letter is looked at as well', async () => {
  const small = crlf('From: a@a.example', 'Content-Type: text/plain', '', 'Hello');
  const { detached, reason, ...rest } = await explain(small);
  assert.equal(detached, false);
  assert.equal(reason, null);
  assert.deepEqual(verdicts({ detached, reason, ...rest }), ['1 stays text']);
});

test('text for people: one line a part, and nothing in it commands the terminal', async () => {
  const evil = Buffer.from(letter.toString('latin1').replace('small.zip', 'sm\x1b[31mall.zip'), 'latin1');
  const { status, stdout } = await runCommand(['explain', '--to', 'u@b\x1b.example'], { env, input: evil });
  assert.equal(status, 0);
  assert.match(stdout, /^ {2}2 application\/pdf "report\.pdf", 30000 bytes decoded, goes: https:/m);
  assert.match(stdout, /^ {4}1\.2 image\/png "pic\.png", 20000 bytes decoded, stays: shown$/m);
  assert.match(stdout, /^ {2}\| https:\/\/files\.example\.com\//m);
  assert.doesNotMatch(stdout, /[\0-\x09\x0b-\x1f\x7f]/);
});

test('what is no message is 65 and one line, and nothing is left in the temporary folder', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'detach-test-'));
  const { TMPDIR } = process.env;
  process.env['TMPDIR'] = directory;
  t.after(() => {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
    rmSync(directory, { recursive: true });
  });
  for (const bad of ['', 'hello\n', '\r\n', '\0\xff\0', ' folded: x\r\n\r\n', randomBytes(3_000_000)]) {
    const { status, stdout, stderr } = await runCommand(['explain'], { env, input: Buffer.from(bad as string) });
    assert.equal(status, 65, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /^detach-mta explain: [^\n]+\n$/);
  }
  assert.deepEqual(readdirSync(directory), []);
});

test('many files, whose notice has the link of their page alone: no difference, and the place of that link', async () => {
  const files = Array.from({ length: 7 }, (_, i) => [
    '--x',
    ...part(`Content-Type: image/jpeg; name=${i}.jpg`, 20_000),
  ]);
  const head = ['From: z@a.example', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=x', ''];
  const { notice, mailProgram } = await explain(crlf(...head, '--x', '', 'Hello', ...files.flat(), '--x--'));
  assert.deepEqual(mailProgram.differences, []);
  assert.deepEqual(notice?.places, [{ section: '1', type: 'text/plain', line: notice?.places[0]?.line }]);
});

test('a notice within a line of HTML: no difference', async () => {
  const html =
    '<html><body><p>New.</p><div class="gmail_quote">On 3 May Ann wrote:<blockquote>Old.</blockquote></div></body></html>';
  const head = ['From: z@a.example', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=x', ''];
  const file = part('Content-Type: application/pdf; name="report.pdf"', 30_000);
  const message = crlf(...head, '--x', 'Content-Type: text/html', '', html, '--x', ...file, '--x--');
  const { detached, mailProgram } = await explain(message);
  assert.ok(detached);
  assert.ok(!mailProgram.after?.htmls.join().includes(html), 'the notice stands within the line');
  assert.deepEqual(mailProgram.differences, []);
});

test('what the front door refuses: 65, and the reply; a Milter is shown it all the same', async () => {
  const bare = Buffer.from(letter.toString('latin1').replace('inner text\r\n', 'inner\ntext\r\n'), 'latin1');
  const cases: readonly [Buffer, NodeJS.ProcessEnv, RegExp][] = [
    [bare, {}, /serve refuses this message: 550 5\.5\.2 bare <LF>/],
    [letter, { DETACH_INBOUND_MAX_MESSAGE_SIZE: '50KiB' }, /serve refuses this message: 552 5\.3\.4 /],
  ];
  for (const [message, more, says] of cases) {
    const { status, stdout, stderr } = await runCommand(['explain'], { env: { ...env, ...more }, input: message });
    assert.equal(status, 65);
    assert.equal(stdout, '');
    assert.match(stderr, says);
    assert.equal((await explain(message, [], { ...more, DETACH_INBOUND_PROTOCOL: 'milter' })).detached, true);
  }
});

test('a sender or recipient that is no address is 64', async () => {
  for (const words of [
    ['--to', '@'],
    ['--to', ''],
    ['--to', '<>'],
    ['--from', 'anna'],
    ['--to', 'a b@c.example'],
  ]) {
    const { status, stderr } = await runCommand(['explain', ...words], { env, input: letter });
    assert.equal(status, 64, words.join(' '));
    assert.match(stderr, /^detach-mta explain: --(?:to|from) must be an address, not [^\n]+\n$/);
  }
  for (const words of [
    ['--from', ''],
    ['--from', '<>'],
  ])
    assert.equal((await explain(letter, words)).from, '');
  const { to } = await explain(letter, ['--to', 'Postmaster', '--to', '"a b"@c.example', '--to', 'ü@ö.example']);
  assert.deepEqual(
    to.map(({ address }) => address),
    ['Postmaster', '"a b"@c.example', 'ü@ö.example'],
  );
});

test('where a mail program would see something else, it is said', () => {
  const file: SeenFile = { name: 'a.pdf', type: 'application/pdf', size: 5, sha256: 'aa', inline: false };
  const picture: SeenFile = { ...file, name: 'p.png', sha256: 'bb', inline: true };
  const reading = (of: Partial<MailReading>): MailReading => ({ texts: ['Hello\nworld'], htmls: [], files: [], ...of });
  const leaf = { section: '2', name: 'a.pdf', type: 'application/pdf', file: { size: 5, sha256: 'aa' } };
  const detached = [leaf as unknown as Parameters<typeof differences>[0]['detached'][number]];
  const url = 'https://f/x';
  const pages = new Map<string, string>();
  const told = (before: Partial<MailReading>, after: Partial<MailReading>): string[] =>
    differences({ before: reading(before), after: reading(after), detached, urls: [url], pages });
  const text = [`Hello\nworld\n${url}`];
  assert.deepEqual(told({ files: [file, picture] }, { files: [picture], texts: text }), []);
  const cases: readonly (readonly [Partial<MailReading>, Partial<MailReading>, RegExp])[] = [
    [{ files: [] }, { texts: text }, /finds no such file/],
    [{ files: [{ ...file, inline: true }] }, { texts: text }, /shows it inside the text/],
    [{ files: [file, picture] }, { texts: text }, /inline picture p\.png .* no longer finds it/],
    [{ files: [file] }, {}, /stands in no text/],
    [{ files: [file] }, { texts: [`Hello\n${url}`] }, /lost the line "world"/],
    [
      { files: [file], htmls: ['<p>A</p><p>B</p>'] },
      { texts: text, htmls: ['<p>A</p>'] },
      /HTML has lost the line "<p>"/,
    ],
  ];
  for (const [before, after, says] of cases) {
    const found = told(before, after);
    assert.equal(found.length, 1, found.join('; '));
    assert.match(found[0]!, says);
  }
});
