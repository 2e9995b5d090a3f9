/** Messages as they should not be, for the property tests and the fuzzer. All have CRLF line ends. */
import fc from 'fast-check';

export const crlf = (...lines: readonly string[]): Buffer => Buffer.from(lines.join('\r\n') + '\r\n', 'latin1');

export function base64(bytes: Uint8Array, width = 76, separator = '\r\n'): string {
  const all = Buffer.from(bytes).toString('base64');
  const lines = Array.from({ length: Math.ceil(all.length / width) }, (_, i) => all.slice(i * width, (i + 1) * width));
  return lines.join(separator);
}

/** A text of one line and a file; these fields come second. */
export const letterWithFile = (file: Uint8Array, ...fields: readonly string[]): Buffer =>
  crlf(
    'From: a@a.example',
    ...fields,
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'Hello',
    '--b',
    'Content-Type: application/pdf',
    'Content-Transfer-Encoding: base64',
    '',
    base64(file),
    '--b--',
  );

const quotedPrintable = (bytes: Buffer): string =>
  bytes
    .toString('latin1')
    .replace(/[^!-<>-~ ]/g, (c) => `=${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
    .replace(/(?:=..|[^=]){60}/g, '$&=\r\n');

/** Bytes of some length out of a few drawn ones: sizes around the limits matter, content hardly does. */
const bytes = fc
  .tuple(fc.integer({ min: 0, max: 9000 }), fc.uint8Array({ minLength: 1, maxLength: 200 }))
  .map(([size, seed]) => Buffer.alloc(size, seed));

/** Damage that mail software does to encoded text. */
const damage = fc.constantFrom<(text: string) => string>(
  (t) => t,
  (t) => t,
  (t) => t.replace(/=+$/, ''),
  (t) => t.replace(/\r\n/g, ' \r\n'),
  (t) => t.replace(/\r\n/, '\r\n\r\n'),
  (t) => t.slice(0, t.length >> 1) + ' \t' + t.slice(t.length >> 1),
  (t) => t.slice(0, t.length >> 1) + '\r' + t.slice(t.length >> 1),
  (t) => t.slice(0, t.length >> 1) + '=' + t.slice(t.length >> 1),
  (t) => t.slice(0, t.length >> 1) + '-_' + t.slice(t.length >> 1),
  (t) => t.slice(0, -3),
  (t) => t + '\r\n\r\n',
  (t) => '\r\n' + t,
  (t) => t + '\r\n-- \r\nlist footer',
  (t) => t + '====',
  (t) => t.replace(/.\r\n/, '\r\n'),
  (t) => t.replaceAll('A', 'é'),
);

const width = fc.constantFrom(76, 76, 76, 72, 73, 75, 60, 4, 998, 100_000);

const encodedBody = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(bytes, width, damage).map(([b, w, hurt]) => ['base64', hurt(base64(b, w))] as const),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(bytes, fc.constantFrom('A', '\r\n', '=', '= \r\n', ' \r\n', '=20'))
      .map(([b, extra]) => ['quoted-printable', quotedPrintable(b) + extra] as const),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('7bit', '8bit', 'binary', 'BINARY', 'x-uuencode', 'quoted-printable', ''), bytes)
      .map(([encoding, b]) => [encoding, b.toString('latin1').replace(/[\r\n]+/g, '\r\n')] as const),
  },
);

const field = (name: string, value: string): string[] => (value === '' ? [] : [`${name}: ${value}`]);

const file = fc
  .record({
    type: fc.constantFrom(
      'application/pdf; name="a b.pdf"',
      'image/png',
      'IMAGE/JPEG; name=x',
      'application/octet-stream; name="winmail.dat"',
      'text/csv; charset=utf-8',
      'application/pkcs7-mime',
      'text/calendar',
      'application/pgp-encrypted',
      'application/ics',
      'message/partial; id=1; number=1',
      'pdf',
      '',
    ),
    disposition: fc.constantFrom(
      'attachment; filename="x.pdf"',
      "attachment; filename*0*=utf-8''na%c3%af; filename*1=ve.pdf",
      "attachment; filename*=utf-8''%e6%97%a5%e6%9c%ac.xlsx",
      'attachment; filename="=?koi8-r?B?89638tQ=?=.pdf"',
      'attachment',
      'inline',
      'inline; filename="../../etc/passwd"',
      '',
      'x-unknown',
    ),
    id: fc.constantFrom('', '', '<one@x>', '<two@x>'),
    body: encodedBody,
  })
  .map(({ type, disposition, id, body: [encoding, body] }) =>
    [
      ...field('Content-Type', type),
      ...field('Content-Disposition', disposition),
      ...field('Content-ID', id),
      ...field('Content-Transfer-Encoding', encoding),
      '',
      body,
    ].join('\r\n'),
  );

const text = fc
  .record({
    type: fc.constantFrom(
      'text/plain',
      'text/plain',
      'text/html',
      'text/html',
      'text/plain; format=flowed; delsp=yes',
      'text/html; charset=utf-16',
      'text/plain; charset=x-martian',
      'text/plain; charset=us-ascii; format=flowed',
      'text/plain; charset="iso-8859-1"; x=y',
      'text/plain;\r\n charset*0=koi8; charset*1=-r',
      'text/x-amp-html',
      'application/xhtml+xml',
      '',
    ),
    encoding: fc.constantFrom('', '7bit', '8bit', 'quoted-printable', 'base64'),
    body: fc.constantFrom(
      'Hello',
      '',
      '<html><body><p>Hi <img src="cid:one@x"></body></html>',
      '<img src=cid:tw=6F@x>',
      'Hello\r\n-- \r\nSignature',
      'PGltZyBzcmM9ImNpZDpvbmVAeCI+',
      '--\r\n--b\r--b0x\r\n--',
      '-----BEGIN PGP MESSAGE-----\r\nx',
      'J\xe4, \xff\0.',
      'Gr\xfc\xdfe,\r\n\r\nAm 3.5. schrieb Ann:\r\n> \xe4lter',
    ),
  })
  .map(({ type, encoding, body }) =>
    [...field('Content-Type', type), ...field('Content-Transfer-Encoding', encoding), '', body].join('\r\n'),
  );

const junk = fc.constantFrom(
  '',
  'no header at all',
  'Content-Type: text/plain\r\n\r\n\r\n',
  'Content-Type: application/pdf\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA',
  ' folded first line\r\n\r\nx',
  'Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\n--b--',
  'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\n----',
);

const multipartType = fc.constantFrom(
  'mixed',
  'mixed',
  'mixed',
  'alternative',
  'related',
  'related; type="text/html"',
  'related; type="application/smil"',
  'digest',
  'signed',
  'report',
  'x-odd',
);
/** Boundaries that are prefixes of one another, with characters that need quotes. */
const boundary = fc.constantFrom('b', 'b0', 'b1', 'b0x', 'b--', 'c', "'()+_,-./:=?", 'c d');

const { entity } = fc.letrec<{ entity: string; multipart: string; message: string }>((tie) => ({
  entity: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'mime' },
    { weight: 4, arbitrary: file },
    { weight: 3, arbitrary: text },
    { weight: 1, arbitrary: junk },
    { weight: 5, arbitrary: tie('multipart') },
    { weight: 1, arbitrary: tie('message') },
  ),
  multipart: fc
    .record({
      type: multipartType,
      boundary,
      encoding: fc.constantFrom('', '', '', '', '7bit', 'base64'),
      preamble: fc.constantFrom('', '', '\r\n', 'This is a preamble.\r\n', '--\r\n', '--bogus\r\n'),
      parts: fc.array(tie('entity'), { maxLength: 4 }),
      padding: fc.constantFrom('', '', '', ' ', '\t  '),
      close: fc.constantFrom('--', '--', '--', '-- ', '', '--x', undefined),
      epilogue: fc.constantFrom('', '', '\r\n', '\r\nepilogue', '\r\n--b\r\n\r\nno part'),
    })
    .map(({ type, boundary: b, encoding, preamble, parts, padding, close, epilogue }) => {
      const head = [
        `Content-Type: multipart/${type}; boundary="${b}"`,
        ...field('Content-Transfer-Encoding', encoding),
      ];
      const body = parts.map((part) => `--${b}${padding}\r\n${part}\r\n`).join('');
      return `${head.join('\r\n')}\r\n\r\n${preamble}${body}${close === undefined ? '' : `--${b}${close}`}${epilogue}`;
    }),
  message: fc
    .tuple(fc.constantFrom('', '', 'base64', '8bit'), tie('entity'))
    .map(([encoding, inner]) =>
      [
        'Content-Type: message/rfc822',
        ...field('Content-Transfer-Encoding', encoding),
        '',
        `Subject: inner\r\n${inner}`,
      ].join('\r\n'),
    ),
}));

const topFields = fc.constantFrom(
  'From: a@a.example\r\nMessage-ID: <1@a.example>\r\nMIME-Version: 1.0\r\n',
  'Subject: no id\r\n',
  'Received: by x;\r\n\tnow\r\nX-Detach-Message: AAAAAAAAAAAAAAAAAAAAAA\r\n',
  '',
);

/** Bodies in which no bare LF stands: the front door lets none in. */
export const message = fc
  .tuple(topFields, entity)
  .map(([fields, inner]) => Buffer.from(`${fields}${inner}\r\n`.replace(/(?<!\r)\n/g, '\r\n'), 'latin1'));

/** Cuts a message at drawn places. */
export const cuts = fc.array(fc.nat({ max: 20_000 }), { maxLength: 12 });

export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}
