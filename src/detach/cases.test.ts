/**
 * Messages as real mail programs write them. For each one: which files leave it, where the notice stands and what it
 * says. `mailparser` and Python's `email` read the delivered bytes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, suite, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { Lab } from './testing/lab.ts';
import { PythonEmail, type ReadPart } from './testing/python-email.ts';

const lab = new Lab({ rules: { minSize: 1000 } });
const python = new PythonEmail();
after(async () => {
  python.close();
  await lab.close();
});

const folder = new URL('../../test/fixtures/cases/', import.meta.url);

interface Outcome {
  readonly names: readonly string[];
  readonly message: Buffer;
  readonly leaves: readonly ReadPart[];
  readonly defects: readonly string[];
}

async function deliver(name: string, by = lab): Promise<Outcome> {
  const original = readFileSync(new URL(`${name}.eml`, folder));
  const { message, files } = await by.detach(original);
  if (files.length === 0) assert.deepEqual(message, original);
  else assert.deepEqual(await by.restore(message), original);
  assert.deepEqual((await by.detach(original)).message, message, 'the same bytes at the next try');
  const before = await python.read(original);
  const read = await python.read(message);
  for (const defect of read.defects) assert.ok(before.defects.includes(defect), `a new ${defect}`);
  return { names: files.map((file) => file.name), message, ...read };
}

const url = /https:\/\/files\.example\/[\w-]{22}/g;

/** Texts with the notice taken out of each: what stands before it, and what after. */
function around(leaf: ReadPart): readonly [before: string, after: string] {
  const box = /<div lang="en".*?<\/div>/s.exec(leaf.text);
  const plain = /Attached to this message until .*?:\n(?:\n(?:[^\n]+\n)+?(?:\nAll files:\n)?https:\S+(?:\n|$))+/s.exec(
    leaf.text,
  );
  const match = leaf.type === 'text/html' ? box : plain;
  assert.ok(match, `no notice in ${leaf.text}`);
  return [leaf.text.slice(0, match.index).trimEnd(), leaf.text.slice(match.index + match[0].length).trimStart()];
}

const texts = (outcome: Outcome): ReadPart[] => outcome.leaves.filter(({ type }) => type.startsWith('text/'));
const links = (leaf: ReadPart): number => leaf.text.match(url)?.length ?? 0;

suite('what only the mail program can open stays', () => {
  for (const name of ['winmail-dat', 'invitation-attach-by-cid', 'cid-with-blank', 'exchange-pgp-armoured'])
    test(name, async () => assert.deepEqual((await deliver(name)).names, []));
});

suite('the notice stands after the newest text', () => {
  const cases: Record<string, [before: RegExp, after: RegExp]> = {
    'forward-with-old-signature': [/My comparison is attached\.\n\nAnn$/, /^-+ Forwarded message -+\nFrom: Carl/],
    'reply-with-two-separators': [/^Here is my version\.$/, /^-- \nAnn Writer\n\n-----Original Message-----/],
    'unknown-charset-ascii-bytes': [/^Hello, file attached\.$/, /^$/],
    'font-size-zero': [/<\/table>$/, /^<\/body><\/html>$/],
  };
  for (const [name, [before, behind]] of Object.entries(cases))
    test(name, async () => {
      const outcome = await deliver(name);
      const [text, ...more] = texts(outcome);
      assert.equal(more.length, 0, 'the notice is no part of its own');
      const [above, below] = around(text!);
      assert.match(above, before);
      assert.match(below, behind);
      const mail = await simpleParser(outcome.message);
      assert.equal(mail.attachments.length, 0);
    });

  test('long-reply', async () => {
    const [plain, html, ...more] = texts(await deliver('long-reply'));
    assert.equal(more.length, 0);
    const [above, below] = around(plain!);
    assert.equal(above, 'New plan attached.\n\nAnn');
    assert.match(below, /^> old line 0\n/);
    const [aboveHtml, belowHtml] = around(html!);
    assert.match(aboveHtml, /New plan attached/);
    assert.doesNotMatch(aboveHtml, /old message|border-top/);
    assert.match(belowHtml, /^<div style="border-top:1px solid"><b>From:<\/b> P0/);
  });

  test('body-parts-with-file-names', async () => {
    const outcome = await deliver('body-parts-with-file-names');
    assert.deepEqual(
      texts(outcome).map((leaf) => [leaf.name, around(leaf)[0], links(leaf)]),
      [
        ['part1.txt', 'The text.', 1],
        ['part2.html', '<html><body><p>The text.</p>', 1],
      ],
    );
    assert.equal(outcome.leaves.length, 2);
  });
});

test('apple-mail-pictures-between-text: each link at its file’s place', async () => {
  const outcome = await deliver('apple-mail-pictures-between-text');
  const seen = texts(outcome).map(({ text }) => text.trim().replace(url, 'LINK').split(/\n+/));
  const notice = (file: RegExp): RegExp => new RegExp(`Attached to this message until .*:\\|${file.source} .*\\|LINK$`);
  assert.equal(seen.length, 4);
  assert.match(seen[0]!.join('|'), /^Here is the kitchen ceiling:\|/);
  assert.match(seen[0]!.join('|'), notice(/IMG_2041\.jpeg/));
  assert.match(seen[1]!.join('|'), /^and here the pipe behind the wall:\|/);
  assert.match(seen[1]!.join('|'), notice(/IMG_2042\.jpeg/));
  assert.match(seen[2]!.join('|'), /^The quote of the plumber:\|/);
  assert.match(seen[2]!.join('|'), notice(/quote\.pdf/));
  assert.deepEqual([links(texts(outcome)[0]!), links(texts(outcome)[1]!), links(texts(outcome)[2]!)], [1, 1, 2]);
  assert.match(seen[2]!.join('|'), /\|LINK\|All files:\|LINK$/);
  assert.deepEqual(seen[3], ['Sent from my iPhone']);
  const mail = await simpleParser(outcome.message);
  assert.match(mail.text!.replace(/\s+/g, ' '), /ceiling: .*IMG_2041.* and here .*IMG_2042.* plumber: .*quote\.pdf/);
});

test('apple-mail-pictures-between-text: whom to ask stands once', async () => {
  const keeper = new Lab({ rules: { minSize: 1000 }, links: { contact: 'helpdesk@b.example' } });
  const outcome = await deliver('apple-mail-pictures-between-text', keeper);
  assert.deepEqual(
    texts(outcome).map(({ text }) => text.split('helpdesk@b.example').length - 1),
    [0, 0, 1, 0],
  );
  await keeper.close();
});

test('three-forwarded-statements: in the letter and in each forwarded message, with names that can be told apart', async () => {
  const [letter, ...inner] = texts(await deliver('three-forwarded-statements'));
  assert.equal(letter!.message, '');
  const told = letter!.text.match(/^statement.*(?= \(PDF)/gm)!;
  assert.equal(new Set(told).size, 3, told.join());
  assert.ok(told.every((name) => name.endsWith('.pdf')));
  const [first, second, third, page, ...more] = letter!.text.match(url)!;
  assert.equal(new Set([first, second, third, page]).size, 4);
  assert.deepEqual(more, []);
  assert.match(letter!.text, /\n\nAll files:\n\S+\n/);
  assert.deepEqual(
    inner.map((leaf) => [around(leaf)[0], links(leaf)]),
    [1, 2, 3].map((n) => [`Your statement for account ${n} is attached.`, 1]),
  );
  assert.deepEqual(
    inner.flatMap(({ text }) => text.match(url)),
    [first, second, third],
    'a forwarded message gives nothing away but its own file',
  );
});

suite('names can be read', () => {
  const cases: Record<string, string[]> = {
    'ascii-text-japanese-names': ['四半期決算報告書 東京支店.xlsx', '四半期決算報告書 大阪支店.xlsx'],
    'utf8-7bit-cyrillic-names': ['Счёт.pdf', 'Акт.pdf'],
  };
  for (const [name, files] of Object.entries(cases))
    test(name, async () => {
      const outcome = await deliver(name);
      assert.deepEqual(outcome.names, files);
      const [text, ...more] = texts(outcome);
      assert.equal(more.length, 0);
      assert.equal(text!.charset, 'utf-8');
      assert.match(text!.encoding!, /^(?:base64|quoted-printable)$/);
      assert.ok(!outcome.message.some((byte) => byte >= 0x80), 'a path of seven bits carries it');
      for (const file of files) assert.ok(text!.text.includes(`\n${file} (`), file);
      assert.doesNotMatch(text!.text, /\?\?|\ufffd/);
      const mail = await simpleParser(outcome.message);
      for (const file of files) assert.ok(mail.text!.includes(file));
    });

  test('long-names-differ-late', async () => {
    const outcome = await deliver('long-names-differ-late');
    assert.equal(new Set(outcome.names).size, 4);
    for (const leaf of texts(outcome)) {
      const shown = leaf.text.match(leaf.type === 'text/html' ? /(?<=<bdi>).*?(?=<\/bdi>)/g : /^.*(?= \(document)/gm)!;
      assert.equal(new Set(shown).size, 4, shown.join('\n'));
      for (const [i, name] of shown.entries()) assert.match(name, /\.docx?$/, outcome.names[i]);
      assert.ok(shown.some((name) => name.includes('January')));
      assert.ok(shown.some((name) => name.includes('February')));
    }
  });

  test('phone-parts-without-names', async () => {
    const { names } = await deliver('phone-parts-without-names');
    assert.deepEqual(names, [
      'image.jpg',
      'image-2.jpg',
      'video.3gp',
      'audio.amr',
      'audio-2.wav',
      'image-3.heif',
      'attachment.pdf',
      'attachment-2.zip',
      'video-2.mp4',
      'audio-3.m4a',
      'image-4.heic',
      'attachment-3.xlsm',
    ]);
  });

  test('raw-utf8-name-cut-in-a-character', async () => {
    const { names } = await deliver('raw-utf8-name-cut-in-a-character');
    assert.equal(names.length, 1);
    assert.equal(names[0], 'Отчёт за ноябр');
  });
});

test('thirty-photos: all names, and one link', async () => {
  const outcome = await deliver('thirty-photos');
  const [text, ...more] = texts(outcome);
  assert.equal(more.length, 0);
  assert.equal(text!.text.match(/^IMG_\d+\.jpeg /gm)?.length, 30);
  assert.equal(links(text!), 1);
  assert.match(around(text!)[1], /^Sent from my iPhone/);
});

test('unclosed-multipart-after-kept-file: the kept file has the same bytes', async () => {
  const { names, message, leaves } = await deliver('unclosed-multipart-after-kept-file');
  assert.deepEqual(names, ['a.pdf']);
  assert.equal(leaves.find(({ type }) => type === 'video/mp4')?.text, '\0abc\x8f');
  const kept = (await simpleParser(message)).attachments.find(({ filename }) => filename === 'c.bin');
  assert.deepEqual(kept?.content, Buffer.from('\0abc\x8f', 'latin1'));
});

test('doubled-delimiter: no new defect', async () => {
  const outcome = await deliver('doubled-delimiter');
  assert.deepEqual(outcome.names, ['a.pdf']);
  assert.equal(around(texts(outcome)[0]!)[0], 'Hello');
});
