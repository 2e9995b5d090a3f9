/**
 * Inserts notices into bodies made of relevant pieces, under every charset and transfer encoding, and decodes the
 * result with independent decoders. Run it for long with `node --import tsx test/fuzz/notice.ts 1000000 [seed]`.
 */
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { insertAsUtf8, insertNotice, type Carrier } from '../../src/detach/notice/insert.ts';
import { inRounds } from './rounds.ts';

const url = 'https://files.example.org/AAAAAAAAAAAAAAAAAAAAAA';

export interface FuzzOptions {
  readonly iterations: number;
  readonly seed?: number;
}

/** @throws the first counterexample, shrunk, with the seed that reproduces it */
export function fuzzNotice({ iterations, seed }: FuzzOptions): void {
  const options = { numRuns: iterations, ...(seed === undefined ? {} : { seed }) };
  fc.assert(fc.property(wellFormed, notices, checkWellFormed), options);
  fc.assert(fc.property(broken, notices, checkBroken), options);
  fc.assert(fc.property(wellFormed, named, checkNamed), options);
  fc.assert(fc.property(broken, named, checkBrokenNamed), options);
}

/** Characters that each charset has besides ASCII; their bytes may look like anything. */
const letters: Readonly<Record<string, readonly string[]>> = {
  'us-ascii': ['z'],
  'utf-8': ['é', '€', '日', '😀', 'ש', '\u2028'],
  'iso-8859-1': ['é', '\u00ad'],
  'iso-8859-15': ['é', '€'],
  'iso-8859-8': ['ש'],
  'windows-1252': ['é', '€', '…'],
  'windows-1251': ['ж', '€'],
  'koi8-r': ['ж', '│'],
  shift_jis: ['日', 'ソ', '表', 'ｱ'],
  'euc-jp': ['日', '表'],
  'iso-2022-jp': ['日', 'メ', '彖', '瓱'],
  gb18030: ['日', '乗', '😀', '€'],
  gb2312: ['日'],
  big5: ['日', '功', '許'],
  'euc-kr': ['가', '한'],
  'utf-16le': ['é', '日', '😀', '\u3c00', '\u0a0d', '\u2f3c'],
  'utf-16be': ['é', '日', '😀', '\u3c00', '\u0d0a', '\u3c2f'],
};

const ascii = (
  '</body>|</html>|<body>|<|>|/|"|\'|=|<!--|-->|<script>|</script>|<style>|</style>|<a href="|<p>|</p>|<svg>|</svg>|' +
  '\r\n|\r\n|\r\n\r\n|\r\n-- \r\n|-- | |  |\t|a|word|From |.|=3D|=\r\n|~|\\|x xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx|' +
  '<!DOCTYPE html>|<?xml?>|<textarea>|</textarea>|<br/>|&amp;|{|}'
).split('|');

const line = fc.constantFrom(
  'à',
  '€',
  '日',
  '😀',
  'ש',
  'a',
  ' ',
  '.',
  '>',
  'From ',
  'x'.repeat(40),
  '=',
  '-- ',
  '<b>',
  '</b>',
  '&amp;',
);
const notices = fc
  .array(
    fc.array(line, { maxLength: 4 }).map((pieces) => pieces.join('')),
    { maxLength: 3 },
  )
  .map((lines) => ({
    text: `N\n${lines.join('\n')}\n${url}\n`,
    html: `<p>N\n${lines.join('\n')}<br/>${url}</p>\n`,
    names: '',
  }));

/** Names that most charsets lack: a text has to become UTF-8 for them. */
const named = fc
  .array(
    fc.constantFrom(
      '四半期決算報告書 東京支店.xlsx',
      'Счёт.pdf',
      'שלום.pdf',
      '😀.pdf',
      'né.pdf',
      '한글.pdf',
      'plain.pdf',
      '=€ .',
    ),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((names) => ({
    text: `N\n\n${names.map((name) => `${name}\n${url}`).join('\n\n')}\n`,
    html: `<p>N ${names.join(' ')}<br/>${url}</p>\n`,
    names: names.join(''),
  }));

interface WellFormed {
  readonly carrier: Carrier;
  readonly charset: string;
  readonly text: string;
}

const wellFormed: fc.Arbitrary<WellFormed> = fc
  .constantFrom(...Object.keys(letters))
  .chain((charset) =>
    fc.record({
      charset: fc.constant(charset),
      text: fc
        .array(
          fc.oneof({ arbitrary: fc.constantFrom(...ascii), weight: 3 }, fc.constantFrom(...(letters[charset] ?? []))),
          { maxLength: 14 },
        )
        .map((pieces) => pieces.join('')),
      type: fc.constantFrom('text/plain' as const, 'text/html' as const),
      encoding: charset.startsWith('utf-16')
        ? fc.constant('base64')
        : fc.constantFrom('7bit', '8bit', 'quoted-printable', 'base64'),
      flowed: fc.boolean(),
      width: fc.integer({ min: 1, max: 90 }),
      padded: fc.boolean(),
      ended: fc.boolean(),
    }),
  )
  .map(({ charset, text, type, encoding, flowed, width, padded, ended }) => {
    const bytes = encodeText(text, charset);
    const transferEncoding = encoding === '7bit' && bytes.some((b) => b >= 0x80) ? '8bit' : encoding;
    let body = bytes;
    if (encoding === 'quoted-printable') body = Buffer.from(messyQuotedPrintable(bytes, width), 'latin1');
    if (encoding === 'base64') {
      const all = bytes.toString('base64').replace(padded ? /$^/ : /=+$/, '');
      body = Buffer.from((all.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).join('\r\n') + (ended ? '\r\n' : ''));
    }
    const params = new Map([['charset', charset], ...(flowed ? [['format', 'flowed'] as const] : [])]);
    return { charset, text, carrier: { type, params, transferEncoding, body } };
  });

const broken: fc.Arbitrary<Carrier> = fc.record({
  type: fc.constantFrom('text/plain', 'text/html'),
  params: fc
    .constantFrom(
      '',
      'us-ascii',
      'utf-8',
      'iso-8859-1',
      'shift_jis',
      'iso-2022-jp',
      'gb18030',
      'utf-16',
      'utf-16le',
      'utf-7',
      'x-none',
    )
    .map((charset) => new Map([['charset', charset]])),
  transferEncoding: fc.constantFrom('', '7bit', '8bit', 'binary', 'quoted-printable', 'base64', 'x-none'),
  body: fc
    .array(
      fc.oneof(
        fc.constantFrom(
          ...ascii,
          '\x1b$B',
          '\x1b(B',
          '\x1b(J',
          '\0',
          '\r',
          '\n',
          '=A',
          '=',
          '==',
          '= ',
          'QUJD',
          'QQ==',
          '\x81',
          '\xff\xfe',
          '\xe3\x81',
        ),
        fc.string({ unit: 'binary-ascii', maxLength: 3 }),
      ),
      { maxLength: 20 },
    )
    .map((pieces) => Buffer.from(pieces.join(''), 'latin1')),
});

type Texts = Parameters<typeof insertNotice>[1];

/** Readers see the text they saw before, and the notice at one place in it. */
function checkWellFormed({ carrier, charset, text }: WellFormed, notice: Texts): void {
  const result = insertNotice(carrier, notice);
  assert.ok(result !== undefined);
  checkBytes(carrier, result);
  const before = decodeText(decodeTransfer(carrier), charset);
  if (carrier.transferEncoding !== 'quoted-printable') assert.equal(before, text);
  const inserted = infix(before, decodeText(decodeTransfer({ ...carrier, body: result }), charset));
  assert.ok(inserted !== undefined, 'the text around the notice has changed');
  assert.ok(inserted.includes(url));
  assert.doesNotMatch(inserted, /\ufffd|\r(?!\n)|(?<!\r)\n/);
  if (carrier.type === 'text/plain' && carrier.params.has('format'))
    assert.doesNotMatch(inserted, /[^\n] \r\n(?!\r\n|-- )/);
}

/**
 * A text whose charset lacks characters of the names becomes UTF-8 with the same content, with names and link in one
 * place.
 */
function checkNamed({ carrier, charset }: WellFormed, notice: Texts): void {
  const direct = insertNotice(carrier, notice);
  const rewritten = insertAsUtf8(carrier, notice);
  assert.deepEqual(insertAsUtf8(carrier, notice), rewritten, 'the same bytes at the next try');
  if (direct !== undefined) {
    if (carrier.type === 'text/plain') assert.equal(rewritten, undefined, 'it is rewritten without need');
    return;
  }
  assert.ok(rewritten !== undefined, 'the notice stands nowhere');
  assert.ok(!rewritten.body.some((byte) => byte >= 0x80));
  const lines = rewritten.body.toString('latin1').split('\r\n');
  assert.ok(
    lines.every((each) => each.length <= 76),
    'a line is too long',
  );
  const before = decodeText(decodeTransfer(carrier), charset);
  const after = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
    decodeTransfer({ ...carrier, ...rewritten }),
  );
  const inserted = infix(before, after);
  assert.ok(inserted !== undefined, 'the text around the notice has changed');
  for (const each of notice.text.split('\n')) assert.ok(inserted.includes(each.trimEnd().normalize('NFC')), each);
}

function checkBrokenNamed(carrier: Carrier, notice: Texts): void {
  const result = insertNotice(carrier, notice);
  if (result !== undefined) checkBytes(carrier, result);
  const rewritten = insertAsUtf8(carrier, notice);
  if (rewritten === undefined) return;
  const text = new TextDecoder('utf-8', { fatal: true }).decode(decodeTransfer({ ...carrier, ...rewritten }));
  assert.ok(text.includes(url));
}

/** For any input nothing is thrown, and the bytes around the notice do not change. */
function checkBroken(carrier: Carrier, notice: Texts): void {
  const result = insertNotice(carrier, notice);
  if (result !== undefined) checkBytes(carrier, result);
}

function checkBytes(carrier: Carrier, result: Buffer): void {
  const before = decodeTransfer(carrier).toString('latin1');
  const after = decodeTransfer({ ...carrier, body: result }).toString('latin1');
  assert.ok(infix(before, after) !== undefined, 'the bytes around the notice have changed');
  const encoded = [carrier.body, result].map((b) => b.toString('latin1')) as [string, string];
  if (carrier.transferEncoding === 'base64') {
    const at = before.length - commonSuffix(before, after);
    const kept = encoded[0].slice(0, commonPrefix(...encoded)).replace(/[^A-Za-z0-9+/]/g, '').length;
    assert.ok(kept >= Math.floor(at / 3) * 4, 'base64 before the notice has changed');
  } else {
    const inserted = infix(...encoded);
    assert.ok(inserted !== undefined, 'the body around the notice has changed');
    if (carrier.transferEncoding !== '8bit' && carrier.transferEncoding !== 'binary')
      assert.doesNotMatch(inserted, /[\x80-\xff]/);
    const limit = carrier.transferEncoding === 'quoted-printable' ? 76 : 998;
    // The first and the last line may have been long before.
    assert.ok(
      inserted
        .split('\r\n')
        .slice(1, -1)
        .every((l) => l.length <= limit),
    );
  }
  assert.ok(!encoded[0].endsWith('\n') || encoded[1].endsWith('\n'));
}

/** What was inserted into `before`, at one place, to get `after`; undefined when that is not the only difference. */
function infix(before: string, after: string): string | undefined {
  const prefix = commonPrefix(before, after);
  if (prefix + commonSuffix(before, after) < before.length || after.length <= before.length) return undefined;
  return after.slice(prefix, after.length - (before.length - prefix));
}

function commonPrefix(a: string, b: string): number {
  let n = 0;
  while (n < a.length && a[n] === b[n]) n++;
  return n;
}

function commonSuffix(a: string, b: string): number {
  let n = 0;
  while (n < a.length && n < b.length && a.at(-1 - n) === b.at(-1 - n)) n++;
  return n;
}

function encodeText(text: string, charset: string): Buffer {
  if (charset !== 'iso-2022-jp') return iconv.encode(text, charset);
  // RFC 1468, over EUC-JP: the same rows and cells with the high bit set.
  const shifted = text.replace(/[^\0-\x7f]+/g, (run) => `\x1b$B${highBitOff(iconv.encode(run, 'euc-jp'))}\x1b(B`);
  return Buffer.from(shifted, 'latin1');
}

const highBitOff = (bytes: Buffer): string => String.fromCharCode(...bytes.map((b) => b & 0x7f));

/** Under WHATWG's rules GB2312 is its larger successor, which decodes the same here. */
function decodeText(bytes: Buffer, charset: string): string {
  // Node 20 decodes windows-1252 as ISO-8859-1.
  if (charset === 'windows-1252') return iconv.decode(bytes, charset);
  return new TextDecoder(charset, { ignoreBOM: true }).decode(bytes);
}

function decodeTransfer({ transferEncoding, body }: Carrier): Buffer {
  if (transferEncoding === 'base64') return Buffer.from(body.toString('latin1'), 'base64');
  if (transferEncoding !== 'quoted-printable') return body;
  const text = body
    .toString('latin1')
    .replace(/[\t ]+(?=\r?\n|$)/g, '')
    .replace(/=(?:\r?\n|$)/g, '')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}

/** Soft line breaks at unusual places, lower-case and upper-case digits, more characters encoded than needed. */
function messyQuotedPrintable(bytes: Buffer, width: number): string {
  let out = '';
  let column = 0;
  bytes.forEach((byte, i) => {
    const isBreak = (byte === 0x0d && bytes[i + 1] === 0x0a) || (byte === 0x0a && bytes[i - 1] === 0x0d);
    const hex = byte.toString(16).padStart(2, '0');
    const literal = byte >= 0x20 && byte < 0x7f && byte !== 0x3d && (byte + i) % 7 !== 0 && byte !== 0x20;
    const token = isBreak || literal ? String.fromCharCode(byte) : `=${byte % 2 === 0 ? hex : hex.toUpperCase()}`;
    if (!isBreak && column + token.length > Math.min(width + 2, 75)) {
      out += '=\r\n';
      column = 0;
    }
    out += token;
    column = byte === 0x0a && isBreak ? 0 : column + token.length;
  });
  return out;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [iterations = 1_000_000, seed = Date.now() % 2 ** 31] = process.argv.slice(2).map(Number);
  await inRounds(iterations, seed, (round) => {
    fuzzNotice(round);
    return {};
  });
}
