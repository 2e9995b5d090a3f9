/**
 * Where the notice stands: every form of the message that a program may show must contain it, and it must not tell of
 * files of another message.
 */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { Lab } from './testing/lab.ts';
import { base64, crlf } from './testing/messages.ts';

const lab = new Lab();
after(() => lab.close());

const file = (name: string): string =>
  [
    `Content-Type: application/pdf; name=${name}`,
    'Content-Disposition: attachment',
    'Content-Transfer-Encoding: base64',
    '',
    base64(Buffer.alloc(4000, name)),
  ].join('\r\n');
const part = (type: string, body: string): string => `Content-Type: ${type}\r\n\r\n${body}`;
let count = 0;
function multipart(type: string, ...parts: readonly string[]): string {
  const boundary = `b${(count += 1)}x`;
  const body = parts.map((p) => `--${boundary}\r\n${p}\r\n`).join('');
  return `Content-Type: multipart/${type}; boundary=${boundary}\r\n\r\n${body}--${boundary}--`;
}
const forwarded = (entity: string): string => part('message/rfc822', `Subject: inner\r\n${entity}`);

/** What the body is encoded in, and how. */
const encodings: Record<string, (text: string) => string> = {
  'charset=us-ascii': (text) => `7bit\r\n\r\n${text}`,
  'charset=utf-8; x=qp': (text) => `quoted-printable\r\n\r\n${text}`,
  'charset=utf-8; x=b64': (text) => `base64\r\n\r\n${base64(Buffer.from(text))}`,
  'charset=utf-16le': (text) => `base64\r\n\r\n${base64(Buffer.from(text, 'utf16le'))}`,
};

/** A letter in two forms, with or without a file of so many octets. */
function letter(params: string, file?: { readonly name: string; readonly size: number }): Buffer {
  const encoded = (type: string, text: string): string =>
    `Content-Type: ${type}; ${params}\r\nContent-Transfer-Encoding: ${encodings[params]!(text)}`;
  const attached = file && [
    'Content-Type: application/pdf',
    `Content-Disposition: attachment; filename*=utf-8''${encodeURIComponent(file.name)}`,
    '',
    'x'.repeat(file.size),
  ];
  const forms = multipart('alternative', encoded('text/plain', 'Hello\r\n'), encoded('text/html', '<p>Hello</p>\r\n'));
  return crlf(
    'From: a@a.example',
    'MIME-Version: 1.0',
    multipart('mixed', forms, ...(attached ? [attached.join('\r\n')] : [])),
  );
}

suite('what a file costs that was detached', () => {
  const names = ['a.pdf', ...['a', 'é', '日', '😀', '&'].map((unit) => `${unit.repeat(100)}.pdf`)];
  for (const params of Object.keys(encodings).slice(0, 3))
    test(`is less than 1,000 octets in all: ${params}`, async () => {
      for (const name of names) {
        const { message, files } = await lab.detach(letter(params, { name, size: 4000 }));
        assert.equal(files.length, 1);
        const cost = message.length - letter(params).length;
        assert.ok(cost < 1000, `${name}: ${cost}`);
      }
    });

  test('is never more than it saves', async () => {
    const small = new Lab({ rules: { minSize: 500 } });
    let detached = 0;
    for (const params of Object.keys(encodings))
      for (let size = 850; size < 1400; size += 7) {
        const original = letter(params, { name: 'a.pdf', size });
        const { message, files } = await small.detach(original);
        detached += files.length;
        if (files.length > 0) assert.ok(message.length < original.length, `${params}, ${size}: ${message.length}`);
        else assert.deepEqual(message, original);
      }
    assert.ok(detached > 100);
    await small.close();
  });
});

const notice = 'Attached to this message';

/** The bodies of the parts that have a notice, without it, and how many names of files stand in them. */
async function carriers(entity: string): Promise<(readonly [words: string, files: number])[]> {
  const original = crlf('From: a@a.example', 'MIME-Version: 1.0', entity);
  const { message } = await lab.detach(original);
  assert.deepEqual(await lab.restore(message), original);
  return message
    .toString('latin1')
    .split(/^--b\d+x.*\r\n/m)
    .filter((text) => text.includes(notice))
    .map((text) => [
      text
        .slice(text.indexOf('\r\n\r\n') + 4)
        .split(notice)[0]!
        .split('<div', 1)[0]!
        .trim(),
      new Set(text.match(/[a-z]+\.pdf/g)).size,
    ]);
}

suite('the notice stands in every form of the first text', () => {
  const plain = part('text/plain', 'plain');
  const html = part('text/html', '<p>html');
  const cases: Record<string, [entity: string, carriers: [string, number][]]> = {
    'one text': [multipart('mixed', plain, file('a.pdf')), [['plain', 1]]],
    'two texts, one after the other': [
      multipart('mixed', plain, file('a.pdf'), part('text/plain', 'footer')),
      [['plain', 1]],
    ],
    'text and HTML': [
      multipart('mixed', multipart('alternative', plain, html), file('a.pdf')),
      [
        ['plain', 1],
        ['<p>html', 1],
      ],
    ],
    'HTML with pictures': [
      multipart('alternative', plain, multipart('related', html, file('a.pdf'))),
      [
        ['plain', 1],
        ['<p>html', 1],
      ],
    ],
    'HTML in pieces, files between them': [
      multipart('alternative', plain, multipart('mixed', html, file('a.pdf'), part('text/html', '<p>more'))),
      [
        ['plain', 1],
        ['<p>html', 1],
      ],
    ],
    'two forms in HTML': [
      multipart('mixed', multipart('alternative', plain, html, part('text/html', '<p>large')), file('a.pdf')),
      [
        ['plain', 1],
        ['<p>html', 1],
        ['<p>large', 1],
      ],
    ],
    'forms of forms': [
      multipart(
        'mixed',
        multipart('alternative', plain, multipart('alternative', html, part('text/html', '<p>large'))),
        file('a.pdf'),
      ),
      [
        ['plain', 1],
        ['<p>html', 1],
        ['<p>large', 1],
      ],
    ],
    'an invitation': [
      multipart(
        'mixed',
        multipart('alternative', plain, html, part('text/calendar', 'BEGIN:VCALENDAR')),
        file('a.pdf'),
      ),
      [
        ['plain', 1],
        ['<p>html', 1],
      ],
    ],
    'the same twice: both have to be told': [
      multipart('mixed', multipart('alternative', html, plain), multipart('alternative', plain, html), file('a.pdf')),
      [
        ['<p>html', 1],
        ['plain', 1],
      ],
    ],
  };
  for (const [title, [entity, expected]] of Object.entries(cases))
    test(title, async () => assert.deepEqual(await carriers(entity), expected));
});

suite('and is a part of its own where a text cannot carry it', () => {
  const plain = part('text/plain', 'plain');
  const html = part('text/html', '<p>html');
  const cases: Record<string, [entity: string, carriers: [string, number][]]> = {
    'without a text': [multipart('mixed', file('a.pdf'), file('b.pdf')), [['', 2]]],
    'with a calendar alone': [multipart('mixed', part('text/calendar', 'BEGIN:VCALENDAR'), file('a.pdf')), [['', 1]]],
    'when a program may show a form that cannot carry it': [
      multipart(
        'mixed',
        multipart('alternative', plain, part('text/x-amp-html', '<html amp4email>'), part('text/html', '<p>html')),
        file('a.pdf'),
      ),
      [
        ['plain', 1],
        ['<p>html', 1],
        ['', 1],
      ],
    ],
    'when one of two charsets is unknown': [
      multipart(
        'mixed',
        multipart('alternative', plain, part('text/html; charset=x-martian', '<p>html\xe9')),
        file('a.pdf'),
      ),
      [
        ['plain', 1],
        ['', 1],
      ],
    ],
    'where no program hides it': [
      multipart(
        'mixed',
        file('a.pdf'),
        multipart(
          'alternative',
          part('text/plain; charset=x-martian', 'plain\xe9'),
          multipart('related', html, file('b.pdf')),
        ),
      ),
      [
        ['', 2],
        ['<p>html', 2],
      ],
    ],
    'and in the texts that can, where a program may hide it': [
      multipart(
        'alternative',
        part('text/plain; charset=x-martian', 'plain\xe9'),
        plain,
        multipart('related', html, file('a.pdf')),
      ),
      [
        ['plain', 1],
        ['<p>html', 1],
        ['', 1],
      ],
    ],
    'when the only text is that of somebody else': [multipart('mixed', forwarded(plain), file('a.pdf')), [['', 1]]],
    'in the message itself and in the one forwarded': [
      multipart('mixed', file('a.pdf'), forwarded(multipart('mixed', plain, file('b.pdf')))),
      [
        ['', 2],
        ['plain', 1],
      ],
    ],
  };
  for (const [title, [entity, expected]] of Object.entries(cases))
    test(title, async () => assert.deepEqual(await carriers(entity), expected));
});

test('what leaves a forwarded message is told there, and by the letter around it where that has words', async () => {
  const inner = multipart('mixed', part('text/plain', 'inner'), file('a.pdf'));
  assert.deepEqual(await carriers(multipart('mixed', forwarded(inner))), [['inner', 1]]);
  assert.deepEqual(await carriers(multipart('mixed', part('text/plain', 'outer'), forwarded(inner))), [
    ['outer', 1],
    ['inner', 1],
  ]);
});
