/**
 * Reads the texts of a message for what decides about its files: references to other parts (`cid:`, RFC 2392, in any
 * text; addresses and file names of what HTML shows), and PGP written into a text. Holds a few thousand characters.
 */
import { TextDecoder } from 'node:util';
import { LooseBase64, LooseQuoted, type LooseDecoder } from './encoding/loose-decoder.ts';
import type { Mentions } from './mentions.ts';

const maxReferenceLength = 256;

const cr = 0x0d;
const lf = 0x0a;

/**
 * `cid:` and `mid:` (RFC 2392) in any text, and in HTML the attributes and styles that show something. In a calendar
 * `ATTACH` and its like, whose value may be any address; vCalendar 1.0 has `VALUE=CONTENT-ID:`.
 */
const idMark = /cid:|mid:[^\s"'<>/:]{1,200}\//gi;
const calendarIdMark = /cid:|mid:[^\s"'<>/:]{1,200}\/|value=content-id(?:;[a-z-]{1,20}=[^:;=\r\n]{0,60}){0,3}:/gi;
const placeMark =
  /(?<![\w-])(?:(?:dyn|low)?src|(?:image)?srcset|background|poster|data|(?:xlink:|o:)?href)[ \t\r\n]{0,16}=[ \t\r\n]{0,16}|(?:url\(|@import(?=[\s"']))[ \t\r\n]{0,16}/gi;

const calendarPlaceMark =
  /\n(?:attach|image|photo|logo|sound)(?:;[^:"\r\n]{0,100}(?:"[^"\r\n]{0,150}"[^:"\r\n]{0,100}){0,2})?:/gi;

const pgpMark = {
  text: /\n-----BEGIN PGP (?:SIGNED )?MESSAGE-----/,
  html: /[\n>][ \t]*-----BEGIN PGP (?:SIGNED )?MESSAGE-----/,
};

/** Searched at once. Windows start at fixed offsets, so the result does not depend on chunk boundaries. */
const windowLength = 16 * 1024;
/** The longest mark, and what follows it. */
const overlap = maxReferenceLength + 768;

export interface WatchedText {
  readonly kind: 'html' | 'calendar' | 'text';
  /** Content-Transfer-Encoding. */
  readonly encoding: string;
  readonly charset: string | undefined;
}

export class TextWatch {
  readonly #mentions: Mentions;
  readonly #text: WatchedText;
  readonly #decoder: LooseDecoder | undefined;
  readonly #decodeUtf16: TextDecoder | undefined;
  /** A line end that may be followed by folding. */
  #lineRest: Buffer = Buffer.alloc(0);
  #window = '\n';

  constructor(mentions: Mentions, text: WatchedText) {
    this.#mentions = mentions;
    this.#text = text;
    if (text.encoding === 'base64') this.#decoder = new LooseBase64();
    if (text.encoding === 'quoted-printable') this.#decoder = new LooseQuoted();
    const [, order] = /^utf-?16(le|be)$/i.exec(text.charset?.trim() ?? '') ?? [];
    if (order !== undefined) this.#decodeUtf16 = new TextDecoder(`utf-16${order.toLowerCase()}`);
  }

  push(bytes: Buffer): void {
    this.#take(this.#decoder ? this.#decoder.decode(bytes) : bytes);
  }

  end(): void {
    if (this.#decoder) this.#take(this.#decoder.end());
    this.#append(this.#characters(this.#lineRest));
    this.#search(0);
  }

  #take(decoded: Buffer): void {
    const octets = this.#octets(decoded);
    this.#append(this.#characters(this.#text.kind === 'calendar' ? this.#unfold(octets) : octets));
  }

  #octets(decoded: Buffer): Buffer {
    if (this.#decodeUtf16) return Buffer.from(this.#decodeUtf16.decode(decoded, { stream: true }));
    // UTF-16 under another label can be searched like the rest when its zeros are removed.
    return decoded.includes(0) ? withoutZeros(decoded) : decoded;
  }

  #characters(octets: Buffer): string {
    return octets.toString(this.#decodeUtf16 ? 'utf8' : 'latin1');
  }

  #append(text: string): void {
    for (let at = 0; at < text.length;) {
      const step = text.slice(at, at + windowLength - this.#window.length);
      this.#window += step;
      at += step.length;
      if (this.#window.length === windowLength) this.#search(overlap);
    }
  }

  #search(keep: number): void {
    const text = this.#window;
    const { kind, charset } = this.#text;
    if (pgpMark[kind === 'html' ? 'html' : 'text'].test(text)) this.#mentions.pgp = true;
    if (this.#mentions.isFull) {
      this.#window = keep > 0 ? text.slice(-keep) : '';
      return;
    }
    // A match that may go on in the next window is found there again, because its start is kept.
    const isWhole = (end: number): boolean => keep === 0 || end + maxReferenceLength <= text.length;
    for (const match of text.matchAll(kind === 'calendar' ? calendarIdMark : idMark)) {
      const end = match.index + match[0].length;
      if (isWhole(end)) this.#mentions.addId(text.slice(end, end + maxReferenceLength), charset);
    }
    if (kind !== 'text')
      for (const match of text.matchAll(placeMark)) {
        const end = match.index + match[0].length;
        if (isWhole(end))
          for (const place of placesIn(match[0], text.slice(end, end + maxReferenceLength)))
            this.#mentions.addPlace(place, charset);
      }
    if (kind === 'calendar')
      for (const match of text.matchAll(calendarPlaceMark)) {
        const end = match.index + match[0].length;
        const line = text.slice(end, end + maxReferenceLength).split(/[\r\n]/, 1)[0]!;
        if (isWhole(end) && !/^\s*(?:cid|data):/i.test(line)) this.#mentions.addPlace(line, charset);
      }
    this.#window = keep > 0 ? text.slice(-keep) : '';
  }

  #unfold(chunk: Buffer): Buffer {
    const octets = this.#lineRest.length > 0 ? Buffer.concat([this.#lineRest, chunk]) : chunk;
    const end = octets.length - lineEndLength(octets);
    this.#lineRest = Buffer.from(octets.subarray(end));
    return unfolded(octets.subarray(0, end));
  }
}

/** RFC 5545 section 3.1. Octet by octet: a regular expression takes ten times as long for lines of one character. */
function unfolded(octets: Buffer): Buffer {
  const kept = Buffer.allocUnsafe(octets.length);
  let count = 0;
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at]!;
    if (octet === lf && at + 1 < octets.length && isBlank(octets[at + 1]!)) {
      if (at > 0 && octets[at - 1] === cr) count--;
      at++;
    } else kept[count++] = octet;
  }
  return kept.subarray(0, count);
}

/** How many octets at the end are CRLF, LF or CR. */
function lineEndLength(octets: Buffer): number {
  const last = octets.at(-1);
  if (last === cr) return 1;
  return last !== lf ? 0 : octets.at(-2) === cr ? 2 : 1;
}

const isBlank = (octet: number): boolean => octet === 0x20 || octet === 0x09;

function withoutZeros(bytes: Buffer): Buffer {
  const kept = Buffer.allocUnsafe(bytes.length);
  let count = 0;
  for (const octet of bytes) if (octet !== 0) kept[count++] = octet;
  return kept.subarray(0, count);
}

/** The addresses in an attribute value or `url(…)`, but for those that lead elsewhere. */
function placesIn(mark: string, tail: string): string[] {
  const quote = /^["']|^&quot;|^&#39;/.exec(tail)?.[0];
  const isStyle = /^[u@]/i.test(mark);
  const rest = tail.slice(quote?.length ?? 0);
  const end = quote === undefined ? rest.search(isStyle ? /[)"'<>]/ : /[\s>]/) : rest.indexOf(quote);
  const value = end < 0 ? rest : rest.slice(0, end);
  const all = /^(?:image)?srcset/i.test(mark)
    ? value.split(',').map((entry) => entry.trim().split(/\s/, 1)[0]!)
    : [value];
  return all.filter((place) => !/^\s*(?:cid:|data:|mailto:|tel:|javascript:|#|$)/i.test(place));
}
