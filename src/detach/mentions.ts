/** What the texts of one message refer to: parts that they show or name, and PGP written into a text. */
import { decodeLabelled, decodeUnlabelled } from '../message/charset.ts';
import { decodeWords } from '../message/encoded-word.ts';
import { percentDecode } from '../message/percent.ts';
import type { PartHead } from './mime/part-head.ts';
import { unescapeHtml } from './notice/unescape-html.ts';

/** More references than any mail has. Beyond it, every part that can be referred to counts as shown. */
const maxReferences = 1000;
const maxReferenceChars = 2 * 1024 * 1024;

/** Places that look like a reference, repeated ones included: reading one costs as much as a hundred characters. */
const maxMarks = 10_000;

/** Where a reference may end: at the quote it began with, at a blank, or where an address or a style ends. */
const ends = [
  /["<>]/,
  /['<>]/,
  /&(?:quot|apos|#0*3[49]|#x0*2[27]);|["'<>]/i,
  /["'<>\r\n]/,
  /[\s"'<>]/,
  /\)/,
  /[\s"'<>\\),;#?&\]}]|%3e/i,
];

/** Some programs write the brackets of the Content-ID, too. */
const openingBracket = /^\s*(?:<|%3c|&lt;)/i;

export class Mentions {
  readonly #ids = new Set<string>();
  readonly #places = new Set<string>();
  /** As they stood in the texts. */
  readonly #seen = new Set<string>();
  #chars = 0;
  #marks = 0;
  pgp = false;

  /** The byte string after `cid:` (RFC 2392), up to where the reference can end at most. */
  addId(tail: string, charset: string | undefined): void {
    this.#marks += 1;
    for (const text of readings(tail.replace(openingBracket, ''), charset))
      for (const id of new Set(ends.map((end) => upTo(text, end))))
        if (this.#isNew('cid:', id)) this.#add(this.#ids, copyOf(id));
  }

  /** The value of an attribute that names what is shown, or of `url(…)`: a byte string. */
  addPlace(value: string, charset: string | undefined): void {
    this.#marks += 1;
    if (this.#isNew('', value)) for (const text of readings(copyOf(value), charset)) this.#add(this.#places, text);
  }

  /** Whether a text refers to the part by Content-ID, Content-Location or file name (RFC 2557 section 8). */
  refersTo({ contentId, contentLocation, fileName, typeName }: PartHead): boolean {
    const ids = contentId === undefined ? [] : [...spellings(contentId), ...spellings(idOf(decodeWords(contentId)))];
    const places = [
      ...(contentLocation === undefined ? [] : locations(contentLocation)),
      ...[fileName, typeName].flatMap((name) => (name === undefined ? [] : spellings(name))),
    ];
    if (this.isFull) return ids.length + places.length > 0;
    return ids.some((id) => this.#ids.has(id)) || places.some((place) => this.#places.has(place));
  }

  /** There were too many references: no part that a text could refer to is taken out. */
  get isFull(): boolean {
    return this.#seen.size >= maxReferences || this.#chars >= maxReferenceChars || this.#marks >= maxMarks;
  }

  #isNew(kind: 'cid:' | '', reference: string): boolean {
    const key = kind + reference;
    if (this.isFull || this.#seen.has(key)) return false;
    this.#seen.add(copyOf(key));
    return true;
  }

  #add(set: Set<string>, text: string): void {
    for (const spelling of spellings(text)) {
      if (set.has(spelling)) continue;
      set.add(spelling);
      this.#chars += spelling.length;
    }
  }
}

function upTo(text: string, end: RegExp): string {
  const at = text.search(end);
  return at < 0 ? text : text.slice(0, at);
}

/** Copies the string: a slice of a text keeps the whole text in memory. */
function copyOf(text: string): string {
  const encoding = /[\u0100-\uffff]/.test(text) ? 'utf16le' : 'latin1';
  return Buffer.from(text, encoding).toString(encoding);
}

/** Removes the angle brackets, which may be inside an encoded word. */
const idOf = (text: string): string => text.replace(/^\s*<|>\s*$/g, '');

/** A byte string as text, read both in the charset of its part and in the charset that its bytes suggest. */
function readings(bytes: string, charset: string | undefined): string[] {
  if (!/[\x1b\x80-\uffff]/.test(bytes) || /[\u0100-\uffff]/.test(bytes)) return [bytes];
  const buffer = Buffer.from(bytes, 'latin1');
  return [...new Set([decodeUnlabelled(buffer), decodeLabelled(buffer, charset ?? 'utf-8')])];
}

/** Text without any escape and without characters that are ignored. */
const plainText = /^[\w@$+-][\w@$+.-]*$/;

/** A reference as written, and unescaped as an address, a style, a calendar or HTML may have it. */
function spellings(text: string): string[] {
  if (plainText.test(text)) return [text.toLowerCase()];
  const html = unescapeHtml(text);
  const style = html
    .replace(/\\([0-9a-f]{1,6})\s?/gi, (_, hex: string) => codePoint(parseInt(hex, 16)))
    .replace(/\\(?=[^0-9a-f])/gi, '');
  const all = new Set([text, html, percentDecodeText(html)]);
  if (style !== html) all.add(style).add(percentDecodeText(style));
  // vCalendar 1.0 has quoted-printable in its values.
  if (/=[0-9a-f]{2}/i.test(text)) all.add(percentDecodeText(text.replace(/=(?=[0-9a-f]{2})/gi, '%')));
  return [...new Set([...all].map(normalize))].filter((spelling) => spelling !== '');
}

const codePoint = (code: number): string => (code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd');

/** Line ends and tabs in an address do not count (URL standard section 4.4). */
const normalize = (text: string): string =>
  text
    .replace(/[\r\n\t]+/g, '')
    .replace(/^[\s"]+/, '')
    .replace(/(?<![\s"])[\s"]+$/, '')
    .replace(/^\.\//, '')
    .normalize('NFC')
    .toLowerCase();

const isAscii = (octets: string): boolean => !/[^\0-\x7f]/.test(octets);

function locations(contentLocation: string): string[] {
  const whole = decodeWords(contentLocation);
  return [whole, whole.replace(/[?#].*$/s, '').replace(/^.*[/\\]/s, '')].flatMap(spellings);
}

/** Percent-decodes, and reads the octets as text. */
function percentDecodeText(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    const octets = percentDecode(run);
    return isAscii(octets) ? octets : decodeUnlabelled(Buffer.from(octets, 'latin1'));
  });
}
