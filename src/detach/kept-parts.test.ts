/** What only the mail program can open stays in the message, however it is wrapped and written. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { Lab } from './testing/lab.ts';
import { base64, crlf } from './testing/messages.ts';

const lab = new Lab({ rules: { minSize: 1000 } });
after(() => lab.close());

const blob = base64(Buffer.alloc(3000, 'some file'));
const part = (fields: readonly string[], body = blob): string =>
  [...fields, 'Content-Transfer-Encoding: base64', '', body].join('\r\n');
const mixed = (type: string, ...parts: readonly string[]): Buffer =>
  crlf(
    'From: a@a.example',
    'MIME-Version: 1.0',
    `Content-Type: multipart/${type}; boundary="bb"`,
    '',
    ...parts.map((p) => `--bb\r\n${p}`),
    '--bb--',
  );

async function detached(message: Buffer): Promise<string[]> {
  const { message: out, files } = await lab.detach(message);
  assert.deepEqual(await (files.length > 0 ? lab.restore(out) : out), message);
  return files.map(({ name }) => name);
}

const text = 'Content-Type: text/plain\r\n\r\nHello';

/** A letter that shows a picture, as `shows`, and the picture with these fields. */
const letter = (shows: string, fields: readonly string[], charset = 'utf-8'): Buffer =>
  mixed(
    'mixed',
    `Content-Type: text/html; charset=${charset}\r\n\r\n${shows}`,
    part(['Content-Type: image/png', ...fields]),
  );

suite('a part that HTML shows stays', () => {
  const id = 'Content-ID: <one@x>';
  const utf8 = (words: string): string => Buffer.from(words).toString('latin1');
  const cases: Record<string, [shows: string, fields: string[], charset?: string]> = {
    'in double quotes': ['<img src="cid:one@x">', [id]],
    'in single quotes': ["<img src='cid:one@x'>", [id]],
    'without quotes': ['<img src=cid:one@x>', [id]],
    'without quotes, before a blank': ['<img src=cid:one@x width=1>', [id]],
    'with blanks in it': ['<img src="cid:my logo.png">', ['Content-ID: <my logo.png>']],
    'with blanks in it and percent signs': ["<img src='cid:my%20logo.png'>", ['Content-ID: <my logo.png>']],
    'with an apostrophe': ['<img src="cid:Ann\'s logo">', ["Content-ID: <Ann's logo>"]],
    'with blanks around it': ['<img src=" cid:one@x ">', [id]],
    'with references': ['<img src="cid&#58;one&#x40;x">'.replace('&#58;', ':'), [id]],
    'with named references': ['<img src="cid:a&amp;b&commat;x">', ['Content-ID: <a&b@x>']],
    'with quotes in its id': ['<img src="cid:&quot;a b&quot;@x">', ['Content-ID: <"a b"@x>']],
    'in a style': ['<p style="background:url(cid:one@x)">', [id]],
    'in a style with quotes': ['<p style="background:url(\'cid:one@x\')">', [id]],
    'in a style with references for quotes': ['<p style="background:url(&quot;cid:one@x&quot;)">', [id]],
    'in a style sheet with escapes': ['<style>p{background:url(cid:one\\40 x)}</style>', [id]],
    'as a background': ['<table background="cid:one@x">', [id]],
    'in a set': ['<img srcset="cid:two@x 1x, cid:one@x 2x">', [id]],
    'in a style sheet that another one takes in': [
      '<style>@import "a.css";</style>',
      ['Content-Disposition: attachment; filename=a.css'],
    ],
    'as a moving picture of old': ['<img dynsrc="a.avi">', ['Content-Disposition: attachment; filename=a.avi']],
    'in VML': ['<!--[if gte vml 1]><v:imagedata src="cid:one@x" o:title=""/><![endif]-->', [id]],
    'by another case': ['<img src="CID:ONE@X">', [id]],
    'by an id in UTF-8': [utf8('<img src="cid:Grüße@x">'), [`Content-ID: <${utf8('Grüße@x')}>`]],
    'by an id in encoded words': [utf8('<img src="cid:Grüße@x">'), ['Content-ID: <=?utf-8?Q?Gr=C3=BC=C3=9Fe=40x?=>']],
    'by brackets in an encoded word': ['<img src="cid:one@x">', ['Content-ID: =?us-ascii?Q?=3Cone=40x=3E?=']],
    'by an id in another charset': [
      '<img src="cid:Gr\xfc\xdfe@x">',
      [`Content-ID: <${utf8('Grüße@x')}>`],
      'iso-8859-1',
    ],
    'by an id in koi8-r': ['<img src="cid:\xcc\xcf\xc7\xcf">', [`Content-ID: <${utf8('лого')}>`], 'koi8-r'],
    'by an id with percent signs for UTF-8': [
      '<img src="cid:Gr%C3%BC%C3%9Fe@x">',
      [`Content-ID: <${utf8('Grüße@x')}>`],
    ],
    'by an id without brackets': ['<img src="cid:one@x">', ['Content-ID: one@x']],
    'by its place': ['<img src="http://a.example/i.png">', ['Content-Location: http://a.example/i.png']],
    'by the end of its place': ['<img src="i.png">', ['Content-Location: file:///C:/x/i.png']],
    'by its name': ['<img src="image001.png">', ['Content-Disposition: attachment; filename=image001.png']],
    'by its name with a blank': [
      '<img src="my%20logo.png">',
      ['Content-Disposition: attachment; filename="my logo.png"'],
    ],
    'by its name, without quotes': ['<img src=./image001.png>', ['Content-Disposition: inline; filename=IMAGE001.png']],
    'by its name in a style': [
      "<p style='background:url(a.png)'>",
      ['Content-Disposition: attachment; filename=a.png'],
    ],
    'by its name as a background': ['<body background=a.png>', ['Content-Disposition: attachment; filename=a.png']],
  };
  for (const [title, [shows, fields, charset]] of Object.entries(cases))
    test(title, async () => {
      assert.deepEqual(await detached(letter(shows, fields, charset)), []);
      const encoded = Buffer.from(shows, 'latin1')
        .toString('base64')
        .replace(/.{1,76}/g, '$&\r\n');
      const [head = '', picture = ''] = letter('@', fields, charset).toString('latin1').split('\r\n\r\n@');
      const again = `${head}\r\nContent-Transfer-Encoding: base64\r\n\r\n${encoded}${picture}`;
      assert.deepEqual(await detached(Buffer.from(again, 'latin1')), [], 'in base64');
    });

  const others: Record<string, [shows: string, fields: string[]]> = {
    'another id': ['<img src="cid:one@xy">', [id]],
    'a longer id': ['<img src="cid:none@x">', [id]],
    'another name': ['<img src="image002.png">', ['Content-Disposition: attachment; filename=image001.png']],
    'a name in words alone': ['<p>see image001.png', ['Content-Disposition: attachment; filename=image001.png']],
    'a picture elsewhere': ['<img src="https://a.example/i.png">', ['Content-Disposition: attachment; filename=i.png']],
  };
  for (const [title, [shows, fields]] of Object.entries(others))
    test(`and goes for ${title}`, async () => assert.equal((await detached(letter(shows, fields))).length, 1));
});

suite('a part that a calendar refers to stays', () => {
  const agenda = part([
    'Content-Type: application/pdf',
    'Content-ID: <agenda-77@x>',
    'Content-Disposition: attachment',
  ]);
  const lines = [
    'ATTACH:CID:agenda-77@x',
    'ATTACH;FMTTYPE=application/pdf:cid:agenda-77@x',
    'ATTACH;VALUE=URI;X-FILENAME=a.pdf:CID:agenda-\r\n 77@x',
    'DESCRIPTION;ALTREP="CID:agenda-77@x":Agenda',
    'IMAGE;VALUE=URI;DISPLAY=BADGE:cid:agenda%2D77%40x',
    'X-ALT-DESC;FMTTYPE=text/html:<img src="cid:agenda-77@x"\\; alt="">',
  ];
  const types = ['text/calendar; method=REQUEST', 'application/ics; name=invite.ics', 'text/x-vcalendar'];
  for (const line of lines)
    test(line, async () => {
      for (const type of types)
        for (const disposition of ['inline', 'attachment; filename=invite.ics']) {
          const calendar = `Content-Type: ${type}\r\nContent-Disposition: ${disposition}\r\n\r\nBEGIN:VCALENDAR\r\n${line}\r\nEND:VCALENDAR`;
          assert.deepEqual(await detached(mixed('mixed', text, calendar, agenda)), [], type);
          assert.deepEqual(await detached(mixed('mixed', text, agenda, calendar)), [], 'the other way round');
        }
    });
});

suite('what is encrypted, signed or for one program stays', () => {
  const armour = '-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA' + 'x'.repeat(2000);
  const file = (type: string, name: string, bytes: Buffer = Buffer.alloc(3000, 'x')): string =>
    part([`Content-Type: ${type}`, `Content-Disposition: attachment; filename="${name}"`], base64(bytes));
  const der = Buffer.concat([Buffer.from('308006092a864886f70d010703a080', 'hex'), Buffer.alloc(3000)]);
  const cases: Record<string, string> = {
    'TNEF by type': file('application/ms-tnef', 'x'),
    'TNEF by its registered type': file('application/vnd.ms-tnef', 'x'),
    'TNEF by name': file('application/octet-stream', 'WINMAIL.DAT'),
    'TNEF by a name with a number': file('application/octet-stream', 'winmail(2).dat'),
    'TNEF by content': file(
      'application/octet-stream',
      'ATT00001.bin',
      Buffer.concat([Buffer.from('789f3e22', 'hex'), Buffer.alloc(3000)]),
    ),
    'armoured PGP as any file': file('application/octet-stream', 'ATT00002.bin', Buffer.from(armour)),
    'armoured PGP as a PDF': file('application/pdf', 'a.pdf', Buffer.from(armour)),
    'armoured PGP after empty lines': file('application/octet-stream', 'a', Buffer.from(`\r\n\r\n${armour}`)),
    'armoured PGP with a byte order mark': file('text/plain', 'a.txt', Buffer.from(`\ufeff${armour}`)),
    'armoured PGP as it is': `Content-Type: application/octet-stream\r\nContent-Disposition: attachment\r\n\r\n${armour}`,
    'armoured PGP in quoted-printable': `Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${armour.replace('x'.repeat(2000), `${'x'.repeat(70)}=\r\n`.repeat(30))}`,
    'a signed text': file('application/octet-stream', 'a.bin', Buffer.from(armour.replace('PGP', 'PGP SIGNED'))),
    'S/MIME by parameter': part(['Content-Type: application/octet-stream; smime-type=enveloped-data; name=a.bin']),
    'S/MIME by an old type': file('application/x-pkcs7-mime', 'a'),
    'S/MIME by content': file('application/octet-stream', 'ATT00001.bin', der),
    'a shared folder': file('application/x-sharing-metadata-xml', 'sharing_metadata.xml'),
  };
  for (const [title, entity] of Object.entries(cases))
    test(title, async () => assert.deepEqual(await detached(mixed('mixed', text, entity)), []));

  test('a journal report, and one that was forwarded', async () => {
    const pdf = file('application/pdf', 'a.pdf');
    const inner = `Content-Type: message/rfc822\r\n\r\n${mixed('mixed', text, pdf).toString('latin1').replaceAll('bb', 'ib').trimEnd()}`;
    const report = Buffer.from(`X-MS-Journal-Report:\r\n${mixed('mixed', text, inner).toString('latin1')}`, 'latin1');
    assert.deepEqual(await detached(report), []);
    const forwarded = `Content-Type: message/rfc822\r\n\r\n${report.toString('latin1').replaceAll('bb', 'jb').trimEnd()}`;
    assert.deepEqual(await detached(mixed('mixed', text, forwarded, pdf)), ['a.pdf']);
  });
});

suite('a letter is told from a compound object', () => {
  const pdf = part(['Content-Type: application/pdf', 'Content-Disposition: attachment; filename=a.pdf']);
  const types: Record<string, boolean> = {
    'type="text/html; charset=utf-8"': true,
    'type="TEXT/HTML"': true,
    'type=text/html': true,
    'type="multipart/alternative; boundary=x"': true,
    'type="text/html charset=us-ascii"': true,
    'type="application/smil"': false,
    'type="text/xml; charset=utf-8"': false,
    'type="application/xop+xml"': false,
  };
  for (const [type, isLetter] of Object.entries(types))
    test(type, async () =>
      assert.deepEqual(
        await detached(mixed(`related; ${type}`, 'Content-Type: text/html\r\n\r\nx', pdf)),
        isLetter ? ['a.pdf'] : [],
      ),
    );
});

test('the forms of the body stay where a gateway calls them attachments', async () => {
  const form = (type: string, name: string): string =>
    part(
      [`Content-Type: ${type}`, `Content-Disposition: attachment; filename=${name}`],
      base64(Buffer.alloc(3000, 'w')),
    );
  const plain = form('text/plain', 'body.txt');
  const html = form('text/html', 'body.html');
  assert.deepEqual(await detached(mixed('alternative', plain, html)), []);
  assert.deepEqual(await detached(mixed('mixed', text, plain, html)), ['body.txt', 'body.html']);
  const log = form('text/plain', 'run.log');
  assert.deepEqual(
    await detached(mixed('alternative', text, log)),
    ['run.log'],
    'a file that stands in the wrong place',
  );
});

test('a named text that nobody wrote as a letter is a file, and a form of the body is none', async () => {
  for (const type of ['text/csv', 'text/xml', 'text/x-python', 'text/x-log']) {
    assert.deepEqual(
      await detached(mixed('mixed', text, part([`Content-Type: ${type}; name=a.txt`]))),
      ['a.txt'],
      type,
    );
    assert.deepEqual(await detached(mixed('alternative', text, part([`Content-Type: ${type}; name=a.txt`]))), [], type);
  }
});
