/**
 * Headers made of pieces with a meaning for the code that reads them: cut, folded, damaged, and names in the encodings
 * of other programs. Run it for long with `node --import tsx test/fuzz/header.ts 1000000 [seed]`.
 */
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import iconv from 'iconv-lite';
import { buildHeaderValue, encodeWord, foldLines } from 'nodemailer/lib/mime-funcs';
import { parsePartHead, readPartHead } from '../../src/detach/mime/part-head.ts';
import { receiveHeader } from '../../src/detach/receive-header.ts';
import { stream } from '../../src/detach/testing/lab.ts';
import { decodeWords } from '../../src/message/encoded-word.ts';
import { safeFileName, safeMediaType } from '../../src/message/file-name.ts';
import { HeaderBlock, unfold } from '../../src/message/header-block.ts';
import { parseContentType, parseDisposition } from '../../src/message/parameters.ts';
import { traceBoundary } from '../../src/message/trace-boundary.ts';
import { type Random, randomNumbers } from './random.ts';
import { type Counts, inRounds } from './rounds.ts';

export interface FuzzOptions {
  readonly iterations: number;
  readonly seed?: number;
  /** After how many executions the times for a long and a short input are compared; 0: never. */
  readonly timing?: number;
}

export interface FuzzReport extends Counts {
  /** Headers with a type that was understood, names that were found, and names that others encoded. */
  readonly types: number;
  readonly names: number;
  readonly encoded: number;
}

/** @throws at the first header that is read wrongly, with its bytes and the seed that reproduces it */
export async function fuzzHeader({ iterations, seed = 1, timing = 0 }: FuzzOptions): Promise<FuzzReport> {
  const random = randomNumbers(seed);
  const counts = { types: 0, names: 0, encoded: 0 };
  for (let i = 0; i < iterations; i++) {
    const header = mutate(random);
    const name = nameOf(random);
    try {
      await checkBlock(header, random);
      const head = checkPart(header);
      if (head.type !== '') counts.types += 1;
      if ((head.fileName ?? head.typeName) !== undefined) counts.names += 1;
      checkName({ disposition: name }, random(2) === 0 ? 'application/pdf' : pick(random, values));
      if (name.isWellFormed()) {
        checkEncoded(name, random);
        counts.encoded += 1;
      }
      if (timing > 0 && i % timing === timing - 1) checkTime(random);
    } catch (error) {
      const found = JSON.stringify({ header: header.toString('latin1'), name });
      throw new Error(`seed ${seed}, iteration ${i}: ${found}`, { cause: error });
    }
  }
  return counts;
}

const fieldNames = (
  'Content-Type|Content-Type|Content-Type|Content-Disposition|Content-Disposition|Content-Disposition|content-type |' +
  'CONTENT-TRANSFER-ENCODING|Content-ID|Content-Location|Subject|From|Message-ID|X-Detach-Message|From a@b Mon Jan  6|>From a|no field|é|| Content-Type|a(b)'
).split('|');

const values = (
  'text/plain|text/html; charset=utf-8|multipart/mixed|message/rfc822|application/octet-stream|application/pdf|' +
  'Multipart / Mixed (a comment)|attachment|inline|ATTACHMENT (really)|base64|BASE64 (x)|<one@x>|(c) <one@x>|pdf|/|'
).split('|');

/** Pieces that mean something to what reads values. */
const pieces = (
  ';|; |;\r\n |=|"|\\"|\\\\|\\|(|)|\'|*|%|%41|%e9|%c3%a9|%zz|?|=?|?=|*0*=|*1=|*1*=|*0=|*99=|*007*=|0|1|a|.|..|/|\\|:| |\t|' +
  "\r\n |\r\n\t|\r\n|\r\n\r\n|\r|\0|\x1b$B|\xe9|\xc3\xa9|\xff|\x80|name|filename|boundary|charset|filename=\"|name*=utf-8''|" +
  "boundary*0=|iso-8859-1'fr'|x-none''|''|=?utf-8?Q?|=?utf-8?B?|=?ISO-2022-JP?B?GyRC?=|=?utf-8*en?q?=C3?=|=?x?X?y?=|" +
  '=?utf-8?b?w6k?= =?utf-8?b?w6k?=|_|=C3=A9|w6k=|report.pdf|con.txt|C:\\temp\\a.pdf|../../etc/passwd|\xe2\x80\xae|\xe2\x80\x8d|<|>|@|{|^'
).split('|');

const pick = (random: Random, list: readonly string[]): string => list[random(list.length)]!;

function value(random: Random): string {
  let text = random(4) > 0 ? pick(random, values) : '';
  if (random(3) === 0) text += '; name="a b.pdf"';
  if (random(4) === 0) text += "; filename*0*=utf-8''a%20; filename*1=b";
  for (let n = random(12); n > 0; n--) text += pick(random, pieces);
  return text;
}

/** A header as bytes: fields, then damage. */
function mutate(random: Random): Buffer {
  let text = '';
  for (let n = random(6); n > 0; n--)
    text += `${pick(random, fieldNames)}${random(20) > 0 ? ':' : ''} ${value(random)}\r\n`;
  for (let n = random(3); n > 0; n--) {
    const at = random(text.length + 1);
    const [head, tail] = [text.slice(0, at), text.slice(at)];
    switch (random(4)) {
      case 0:
        text = head + pick(random, pieces) + tail;
        break;
      case 1:
        text = head + tail.slice(random(30));
        break;
      case 2:
        text = head + String.fromCharCode(random(256)) + tail.slice(1);
        break;
      default:
        text = head + tail.slice(0, random(80)).repeat(1 + random(20)) + tail;
    }
  }
  if (random(3) > 0) text += `\r\n${pick(random, pieces)}body\r\n`;
  return Buffer.from(text.replace(/(?<!\r)\n/g, '\r\n'), 'latin1');
}

/** The block is the sum of its fields, wherever the message was cut, and fields on top do not change it. */
async function checkBlock(message: Buffer, random: Random): Promise<void> {
  const end = `\r\n${message.toString('latin1')}`.indexOf('\r\n\r\n');
  const wanted = end < 0 ? message : message.subarray(0, end);
  const places = Array.from({ length: random(5) }, () => random(message.length + 1)).sort((a, b) => a - b);
  const cuts = [0, ...places, message.length];
  const chunks = cuts.slice(1).map((to, i) => message.subarray(cuts[i], to));
  for (const form of [[message], chunks, Array.from(message, (_, i) => message.subarray(i, i + 1))]) {
    const source = stream(form);
    const { header, rest } = await receiveHeader(source);
    const after: Buffer[] = [];
    for await (const chunk of source) after.push(chunk);
    assert.ok(header.raw.equals(wanted), 'the header ends elsewhere');
    assert.ok(Buffer.concat([header.raw, rest, ...after]).equals(message), 'bytes were lost');
  }
  const block = HeaderBlock.parse(wanted);
  assert.ok(Buffer.concat(block.fields.map(({ raw }) => raw)).equals(wanted), 'the fields are not the block');
  for (const [i, field] of block.fields.entries()) {
    assert.ok(i === 0 || !/^[ \t]/.test(field.raw.toString('latin1')), 'a continuation is a field of its own');
    assert.match(field.key, /^[!-9;-@[-~]*$/);
    assert.doesNotMatch(unfold(field), /\r\n(?=[ \t])|\r\n$|^[\t-\r ]|[\t-\r ]$/);
  }
  const ours = Buffer.from('X-Ours: a\r\n');
  const { text, header } = traceBoundary(block);
  const below = HeaderBlock.parse(Buffer.concat([ours, Buffer.from(text), wanted]));
  assert.ok(below.fields[0]?.raw.equals(ours), 'what stands below continues our field');
  assert.ok(header === block || header.fields.length === 0);
}

function checkPart(message: Buffer): ReturnType<typeof readPartHead> {
  const head = parsePartHead(message);
  assert.equal(head.type, head.type.toLowerCase());
  assert.equal(head.encoding, head.encoding.trim().toLowerCase());
  assert.notEqual(head.contentId, '');
  checkName({ disposition: head.fileName, type: head.typeName, description: head.description }, head.type);
  for (const text of head.params.values()) assert.equal(typeof text, 'string');
  return head;
}

/** The name is safe in a header, a page and a file system, for any input. */
function checkName(candidates: Parameters<typeof safeFileName>[0], type: string): void {
  const { name } = safeFileName(candidates, type);
  assert.ok(name.length > 0 && Buffer.byteLength(name) <= 150 && name.isWellFormed());
  assert.doesNotMatch(name, /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}"*/:<>?\\|]|^[. ]|[. ]$| {2}/u);
  assert.doesNotMatch(name, /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i);
  assert.equal(safeFileName({ disposition: name }, '').name, name, 'a safe name is changed when it is made safe again');
  assert.match(safeMediaType(type, name), /^[a-z0-9][!#$&+.^_a-z0-9-]*\/[a-z0-9][!#$&+.^_a-z0-9-]*$/);
}

const letters = (
  'a|b|A|0|1| |  |.|..|-|_|;|=|"|\\|(|)|\'|%|%41|*|/|?|=?|?=|:|@|<|>|,|[|]|é|ü|€|日|本|😀|ש|\u0301|\u00a0|\u200d|\u200c|👩|💻|' +
  ".pdf|.tar.gz|con|nul|\u202e|\ufeff|\u2028|\u00ad|report|=?utf-8?Q?a?=|utf-8''|\0|\t|\x7f|\ud83d|\ude00"
).split('|');

function nameOf(random: Random): string {
  let name = '';
  for (let n = random(random(20) === 0 ? 200 : 10); n >= 0; n--) name += pick(random, letters);
  return name;
}

/** We read what others encode: nodemailer's writers, and one of ours for other charsets and any order. */
function checkEncoded(name: string, random: Random): void {
  // Some programs encode a name twice, so what looks like an encoded word is read as one.
  if (/=\?[^?]+\?[BbQq]\?[^?]*\?=/.test(name)) return;
  // A parameter cannot contain a line end, and blanks at the ends of an unquoted one are not part of it.
  const read = (line: string): string | undefined => {
    const field = HeaderBlock.parse(Buffer.from(`Content-Disposition: ${line}\r\n`, 'utf8')).fields[0]!;
    return parseDisposition(unfold(field)).params.get('filename');
  };
  const built = buildHeaderValue({ value: 'attachment', params: { x: 'y', filename: name, size: '1' } });
  assert.equal(read(built), name, `written by nodemailer: ${built}`);
  const folded = foldLines(`Content-Disposition: ${built}`, 76);
  const foldedField = HeaderBlock.parse(Buffer.from(`${folded}\r\n`)).fields[0]!;
  assert.equal(parseDisposition(unfold(foldedField)).params.get('filename'), name, folded);
  for (const form of ['Q', 'B'] as const) {
    const words = encodeWord(name, form, 52);
    assert.equal(decodeWords(words), name, words);
    assert.equal(read(`attachment; filename="${words}"; size=1`), name, words);
    assert.equal(parseContentType(`application/pdf; name=${words}; x=y`).params.get('name'), name, words);
  }
  const charset = pick(random, ['utf-8', 'utf-8', 'windows-1252', 'shift_jis', 'gb18030', 'iso-8859-15', 'koi8-r']);
  const bytes = iconv.encode(name, charset);
  if (iconv.decode(bytes, charset) !== name) return;
  const pairs = continuations(bytes, charset, random);
  const params = pairs.sort(() => random(3) - 1).join(random(2) === 0 ? '; ' : ';\r\n ');
  assert.equal(read(`attachment; filename=old.pdf; ${params}; x=y`), name, params);
}

/** RFC 2231 sections 3 and 4: pieces cut anywhere, in the middle of a character too, some of them in quotes. */
function continuations(bytes: Buffer, charset: string, random: Random): string[] {
  const pairs: string[] = [];
  let at = 0;
  do {
    const piece = bytes.subarray(at, at + 1 + random(12)).toString('latin1');
    at += Math.max(1, piece.length);
    const n = pairs.length;
    const plain = n > 0 && /^[ -~]+$/.test(piece) && random(2) === 0;
    if (plain) pairs.push(`filename*${n}="${piece.replace(/["\\]/g, '\\$&')}"`);
    else {
      const percent = piece.replace(/[^A-Za-z0-9.]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
      pairs.push(`filename*${n}*=${n === 0 ? `${charset}'${pick(random, ['', 'en', 'x-y'])}'` : ''}${percent}`);
    }
  } while (at < bytes.length);
  return pairs;
}

/** Sixteen times the bytes: linear code takes sixteen times as long, quadratic code 256 times. */
const short = 8 * 1024;
const growth = 16;
const allowed = 80;
/** Milliseconds that are forgiven: a collection of garbage, another process. */
const slack = 150;

function checkTime(random: Random): void {
  let unit = '';
  for (let n = random(4); n >= 0; n--) unit += pick(random, pieces);
  const prefix = random(2) === 0 ? '' : `a; name=${pick(random, pieces)}`;
  const input = (size: number): string => prefix + unit.repeat(Math.ceil(size / unit.length));
  for (const [name, run] of Object.entries(readers)) {
    const measure = (size: number): number => {
      const text = input(size);
      const start = process.cpuUsage();
      run(text);
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    };
    // The better of two tries, because other processes may disturb one.
    const ratioIsFine = (): boolean => measure(short * growth) <= slack + allowed * measure(short);
    assert.ok(ratioIsFine() || ratioIsFine(), `${name} takes too long on ${JSON.stringify({ prefix, unit })}`);
  }
}

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  parseContentType,
  parseDisposition,
  decodeWords,
  safeFileName: (text) => safeFileName({ disposition: text, type: text }, text),
  safeMediaType,
  parsePartHead: (text) => parsePartHead(Buffer.from(`Content-Type: ${text}\r\nContent-ID: ${text}\r\n`, 'latin1')),
  encodingOfPart: (text) => parsePartHead(Buffer.from(`Content-Transfer-Encoding: ${text}\r\n`, 'latin1')),
  boundaryBefore: (text) => traceBoundary(HeaderBlock.parse(Buffer.from(text, 'latin1'))),
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [iterations = 1_000_000, seed = Date.now() % 2 ** 31] = process.argv.slice(2).map(Number);
  await inRounds(iterations, seed, (round) => fuzzHeader({ ...round, timing: 200 }));
}
