import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { createPolicyClass, isExempt, type Rules } from './policy.ts';
import { Lab, testRules } from './testing/lab.ts';
import { base64, crlf } from './testing/messages.ts';

const labs: Lab[] = [];
after(async () => {
  for (const lab of labs) await lab.close();
});

async function names(message: Buffer, rules: Partial<Rules> = {}): Promise<string[]> {
  const lab = new Lab({ rules });
  labs.push(lab);
  const { message: out, files } = await lab.detach(message);
  if (files.length === 0) assert.deepEqual(out, message);
  else assert.deepEqual(await lab.restore(out), message);
  return files.map(({ name }) => name);
}

const blob = (size: number): string => base64(Buffer.alloc(size, 'some file'));

/** A part with a file in it. */
const part = (type: string, disposition = '', more: readonly string[] = [], size = 4000): string =>
  [
    `Content-Type: ${type}`,
    ...(disposition === '' ? [] : [`Content-Disposition: ${disposition}`]),
    ...more,
    'Content-Transfer-Encoding: base64',
    '',
    blob(size),
  ].join('\r\n');

const pdf = part('application/pdf', 'attachment; filename=a.pdf');
const text = 'Content-Type: text/plain\r\n\r\nHello';
const html = (body: string): string => `Content-Type: text/html\r\n\r\n${body}`;

const multipart = (type: string, ...parts: readonly string[]): string => {
  const b = `=_${type.replace(/\W/g, '')}${parts.length}.${parts.join('').length}`;
  return `Content-Type: multipart/${type}; boundary="${b}"\r\n\r\n${parts.map((p) => `--${b}\r\n${p}\r\n`).join('')}--${b}--`;
};
const mail = (entity: string): Buffer => crlf('From: a@a.example', 'MIME-Version: 1.0', entity);

suite('what qualifies', () => {
  const cases: Record<string, [entity: string, detached: string[]]> = {
    'an attachment': [multipart('mixed', text, pdf), ['a.pdf']],
    'the message itself': [pdf, ['a.pdf']],
    'an inline file that no HTML shows': [multipart('mixed', text, part('image/png; name=b.png', 'inline')), ['b.png']],
    'a file without disposition': [multipart('mixed', text, part('image/png; name=b.png')), ['b.png']],
    'a text that is attached': [multipart('mixed', text, part('text/csv', 'attachment; filename=t.csv')), ['t.csv']],
    'a text that has a name': [multipart('mixed', text, part('text/csv; name=t.csv', 'inline')), ['t.csv']],
    'a text that has none': [multipart('mixed', text, part('text/csv', 'inline')), []],
    'a plain text that has a name': [multipart('mixed', text, part('text/plain; name=t.txt', 'inline')), []],
    'a disposition nobody knows': [multipart('mixed', text, part('text/csv', 'x; filename=t.csv')), ['t.csv']],
    'a small file': [multipart('mixed', text, part('image/png', 'attachment', [], 1900)), []],
    'winmail.dat': [multipart('mixed', text, part('application/ms-tnef; name=winmail.dat')), []],
    'an image that the HTML shows': [
      multipart('related', html('<img src="cid:i@x">'), part('image/png', 'inline', ['Content-ID: <i@x>'])),
      [],
    ],
    'an image that the HTML shows with escapes': [
      multipart('related', html('<img src="CID:i%40x">'), part('image/png', 'inline', ['Content-ID: <I@x>'])),
      [],
    ],
    'an image shown by HTML that comes later': [
      multipart('mixed', part('image/png', 'attachment', ['Content-ID: <i@x>']), html('<p style="url(cid:i@x)">')),
      [],
    ],
    'an image shown by quoted-printable HTML': [
      multipart(
        'related',
        'Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<img src=3D"ci=\r\nd:i=40x">',
        part('image/png', '', ['Content-ID: <i@x>']),
      ),
      [],
    ],
    'an image shown by base64 HTML in UTF-16': [
      multipart(
        'related',
        'Content-Type: text/html; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n\r\n' +
          base64(Buffer.from('<img src="cid:i@x">', 'utf16le')),
        part('image/png', '', ['Content-ID: <i@x>']),
      ),
      [],
    ],
    'the same image, attached as well': [
      multipart(
        'mixed',
        multipart('related', html('<img src="cid:i@x">'), part('image/png', 'inline', ['Content-ID: <i@x>'])),
        part('image/png', 'attachment; filename=i.png'),
      ),
      ['i.png'],
    ],
    'an id that a text names': [
      multipart(
        'mixed',
        'Content-Type: text/plain\r\n\r\ncid:i@x',
        part('image/png; name=i', '', ['Content-ID: <i@x>']),
      ),
      [],
    ],
    'multipart/signed': [multipart('signed', multipart('mixed', text, pdf), part('application/pgp-signature')), []],
    'multipart/encrypted': [
      multipart('encrypted', part('application/pgp-encrypted'), part('application/octet-stream')),
      [],
    ],
    'a file beside something signed': [multipart('mixed', multipart('signed', text, text), pdf), ['a.pdf']],
    'S/MIME': [part('application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m', 'attachment'), []],
    'S/MIME under another type': [part('application/octet-stream', 'attachment; filename=smime.p7m'), []],
    'an image with a comment beside its id': [
      multipart('related', html('<img src="cid:i@x">'), part('image/png', 'inline', ['Content-ID: (pic) <i@x> (1)'])),
      [],
    ],
    'an image with two ids': [
      multipart(
        'related',
        html('<img src="cid:i@x">'),
        part('image/png', 'inline', ['Content-ID: <z@x>', 'Content-ID: <i@x>']),
      ),
      [],
    ],
    'an image that XHTML shows': [
      multipart(
        'related',
        'Content-Type: application/xhtml+xml\r\n\r\n<img src="cid:i@x"/>',
        part('image/png', '', ['Content-ID: <i@x>']),
      ),
      [],
    ],
    'a body in XHTML': [part('application/xhtml+xml'), []],
    'a letter with pictures, its root named': [
      multipart(
        'related; type="text/html"',
        html('<img src="cid:i@x">'),
        part('image/png', 'attachment; filename=o.png'),
      ),
      ['o.png'],
    ],
    'pictures and sounds of a phone': [
      multipart(
        'related; type="application/smil"',
        'Content-Type: application/smil\r\n\r\n<smil><img src="i.jpg"/></smil>',
        part('image/jpeg; name=i.jpg', '', ['Content-ID: <1>']),
      ),
      [],
    ],
    'XML with attachments': [
      multipart(
        'related; type="application/xop+xml"',
        'Content-Type: application/xop+xml\r\n\r\n<x/>',
        part('application/octet-stream', '', ['Content-ID: <1@x>']),
      ),
      [],
    ],
    CMS: [multipart('mixed', text, part('application/cms', 'attachment; filename=x')), []],
    'rights management': [
      multipart('mixed', text, part('application/x-microsoft-rpmsg-message', 'attachment; filename=message.rpmsg')),
      [],
    ],
    'PGP/MIME that a gateway made multipart/mixed': [
      multipart(
        'mixed',
        'Content-Type: text/plain\r\n\r\n',
        part('application/octet-stream', 'attachment; filename=encrypted'),
        'Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1',
      ),
      [],
    ],
    'inline PGP in HTML': [multipart('mixed', html('<pre>-----BEGIN PGP MESSAGE-----\r\nx</pre>'), pdf), []],
    'inline PGP': [
      multipart('mixed', 'Content-Type: text/plain\r\n\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: x', pdf),
      [],
    ],
    'a quoted PGP header': [
      multipart('mixed', 'Content-Type: text/plain\r\n\r\n> -----BEGIN PGP MESSAGE-----', pdf),
      ['a.pdf'],
    ],
    'an encrypted file': [
      multipart('mixed', text, part('application/octet-stream', 'attachment; filename=a.pdf.pgp')),
      [],
    ],
    'a report': [multipart('report', text, pdf), []],
    'a voice message': [multipart('voice-message', part('audio/wav', 'attachment')), []],
    'a calendar': [multipart('mixed', text, part('text/calendar; method=REQUEST', 'attachment; filename=i.ics')), []],
    'a calendar by another type': [
      multipart('mixed', text, part('application/ics', 'attachment; filename=invite.ics')),
      [],
    ],
    'a calendar by its name': [
      multipart('mixed', text, part('application/octet-stream', 'attachment; filename=Invite.ICS')),
      [],
    ],
    'a read receipt': [
      multipart(
        'report; report-type=disposition-notification',
        text,
        'Content-Type: message/disposition-notification\r\n\r\nDisposition: manual-action/MDN-sent-manually; displayed',
        pdf,
      ),
      [],
    ],
    'signed inside of a forwarded message, and a file beside it': [
      multipart(
        'mixed',
        text,
        `Content-Type: message/rfc822\r\n\r\n${multipart('signed', multipart('mixed', text, pdf), text)}`,
        pdf,
      ),
      ['a.pdf'],
    ],
    'opaque S/MIME forwarded': [
      multipart(
        'mixed',
        text,
        `Content-Type: message/rfc822\r\n\r\n${part('application/x-pkcs7-mime; smime-type=signed-data', 'attachment; filename=x')}`,
      ),
      [],
    ],
    'a part of a message': [multipart('mixed', text, part('message/partial; id=1', 'attachment')), []],
    'an external body': [multipart('mixed', text, part('message/external-body', 'attachment')), []],
    'uuencoded text': [`Content-Type: text/plain\r\n\r\nbegin 644 x\r\n${'M'.repeat(60)}\r\n`.repeat(80), []],
    'an encoding nobody knows': [
      multipart(
        'mixed',
        text,
        `Content-Type: image/png\r\nContent-Transfer-Encoding: x-uue\r\n\r\n${'x'.repeat(5000)}`,
      ),
      [],
    ],
    'a file in a forwarded message': [
      multipart('mixed', text, `Content-Type: message/rfc822\r\n\r\nSubject: fwd\r\n${multipart('mixed', text, pdf)}`),
      ['a.pdf'],
    ],
    'a file in a digest': [multipart('digest', `\r\nSubject: 1\r\n${multipart('mixed', text, pdf)}`), ['a.pdf']],
    'a forwarded message in base64': [
      multipart(
        'mixed',
        text,
        `Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(mail(multipart('mixed', pdf)))}`,
      ),
      [],
    ],
    'a multipart in base64': [
      multipart('mixed', text, multipart('mixed', pdf).replace('\r\n', '\r\nContent-Transfer-Encoding: base64\r\n')),
      [],
    ],
    'two types': [multipart('mixed', text, `Content-Type: application/zip\r\n${pdf}`), []],
    'a line of the header that is no field': [multipart('mixed', text, `what is this\r\n${pdf}`), []],
    'binary data as it is': [
      multipart(
        'mixed',
        text,
        `Content-Type: application/x; name=b\r\nContent-Transfer-Encoding: binary\r\n\r\n${'\0\xff\r'.repeat(2000)}`,
      ),
      ['b'],
    ],
    MHTML: [multipart('related', html('<img src=i.png>'), part('image/png', '', ['Content-Location: i.png'])), []],
  };
  for (const [title, [entity, expected]] of Object.entries(cases))
    test(title, async () => assert.deepEqual(await names(mail(entity)), expected));
});

suite('rules of the operator', () => {
  const two = mail(
    multipart(
      'mixed',
      text,
      part('application/pdf', 'attachment; filename=a.pdf', [], 3000),
      part('image/png', 'attachment; filename=b.PNG', [], 5000),
    ),
  );
  const cases: [rules: Partial<Rules>, detached: string[]][] = [
    [{}, ['a.pdf', 'b.PNG']],
    [{ excludeTypes: ['image/*'] }, ['a.pdf']],
    [{ excludeTypes: ['application/pdf'] }, ['b.PNG']],
    [{ excludeExtensions: ['png'] }, ['a.pdf']],
    [{ includeTypes: ['image/png'] }, ['b.PNG']],
    [{ includeExtensions: ['pdf'] }, ['a.pdf']],
    [{ includeTypes: ['image/*'], includeExtensions: ['pdf'] }, ['a.pdf', 'b.PNG']],
    [{ includeTypes: ['image/*'], excludeExtensions: ['png'] }, []],
    [{ maxSize: 4000 }, ['a.pdf']],
    [{ minSize: 4000 }, ['b.PNG']],
    [{ minSize: 9000 }, []],
    [{ minSize: 9000, totalSize: 8000, totalMinSize: 2000 }, ['a.pdf', 'b.PNG']],
    [{ minSize: 9000, totalSize: 8000, totalMinSize: 4000 }, ['b.PNG']],
    [{ minSize: 9000, totalSize: 8001, totalMinSize: 2000 }, []],
    [{ exemptSenders: ['a.example'] }, []],
    [{ includeSenders: ['.a.example'] }, []],
    [{ exemptRecipients: ['b.example'] }, []],
    [{ includeRecipients: ['b.example'] }, ['a.pdf', 'b.PNG']],
  ];
  for (const [rules, expected] of cases)
    test(JSON.stringify(rules), async () => assert.deepEqual(await names(two, rules), expected));
});

test('null-sender mail passes whole', () => {
  assert.ok(isExempt({ reversePath: '', recipients: ['u@b.example'] }, testRules));
});

test('recipients are classed by their domain, in any spelling', () => {
  const classOf = createPolicyClass({
    ...testRules,
    exemptRecipients: ['b.example', '.c.example', 'xn--bcher-kva.example'],
  });
  const cases: [string, 'detach' | 'exempt'][] = [
    ['u@b.example', 'exempt'],
    ['u@B.EXAMPLE', 'exempt'],
    ['"a@x"@b.example', 'exempt'],
    ['u@sub.b.example', 'detach'],
    ['u@c.example', 'detach'],
    ['u@x.c.example', 'exempt'],
    [Buffer.from('u@bücher.example').toString('latin1'), 'exempt'],
    ['postmaster', 'detach'],
    ['u@[192.0.2.1]', 'detach'],
  ];
  for (const [mailbox, expected] of cases) assert.equal(classOf(mailbox), expected, mailbox);
});

test('an address means its subaddresses too, and nobody else', () => {
  const classOf = createPolicyClass({ ...testRules, exemptRecipients: ['help@b.example', 'edi+x@b.example'] });
  const cases: [string, 'detach' | 'exempt'][] = [
    ['help@b.example', 'exempt'],
    ['help+1234@b.example', 'exempt'],
    ['Help+a+b@B.example', 'exempt'],
    ['"help+1 2"@b.example', 'exempt'],
    ['"h\\elp"@b.example', 'exempt'],
    ['help@b.example.', 'exempt'],
    ['"help@b.example"@c.example', 'detach'],
    ['help@b.example..', 'detach'],
    ['helpdesk@b.example', 'detach'],
    ['+help@b.example', 'detach'],
    ['help+1@c.example', 'detach'],
    ['edi+x@b.example', 'exempt'],
    ['edi@b.example', 'detach'],
    ['edi+xy@b.example', 'detach'],
  ];
  for (const [mailbox, expected] of cases) assert.equal(classOf(mailbox), expected, mailbox);
});
