/**
 * Reads along in the texts of a message for what decides over its files: references to other parts (`cid:`, RFC 2392,
 * in any text; addresses and file names of what HTML shows), and PGP written into a text. Holds a few thousand
 * characters.
 */
import { TextDecoder } from 'node:util';
import type { Mentions } from './mentions.ts';

const maxReferenceLength = 256;

/** `cid:` in any text, and in HTML the attributes and styles that show something. */
const idMark = /cid:/gi;
const placeMark =
  /(?<![\w-])(?:src|srcset|background|poster|data|(?:xlink:|o:)?href)[ \t\r\n]{0,16}=[ \t\r\n]{0,16}|url\([ \t\r\n]{0,16}/gi;

const pgpMark = {
  text: /\n-----BEGIN PGP (?:SIGNED )?MESSAGE-----/,
  html: /[\n>][ \t]*-----BEGIN PGP (?:SIGNED )?MESSAGE-----/,
};

/** Searched at once. Windows start at fixed offsets, so the result does not depend on chunk boundaries. */
const windowLength = 16 * 1024;
const overlap = maxReferenceLength + 64;

export interface WatchedText {
  readonly kind: 'html' | 'calendar' | 'text';
  /** Content-Transfer-Encoding. */
  readonly encoding: string;
  readonly charset: string | undefined;
}

export class TextWatch {
  readonly #mentions: Mentions;
  readonly #text: WatchedText;
  readonly #decode: (chunk: string) => string;
  readonly #decodeUtf16: TextDecoder | undefined;
  #encodedRest = '';
  /** A line end that may be followed by folding. */
  #lineRest = '';
  #window = '\n';

  constructor(mentions: Mentions, text: WatchedText) {
    this.#mentions = mentions;
    this.#text = text;
    const decoders = { base64: (c: string) => this.#base64(c), 'quoted-printable': (c: string) => this.#quoted(c) };
    this.#decode = Object.hasOwn(decoders, text.encoding) ? decoders[text.encoding as keyof typeof decoders] : (c) => c;
    const [, order] = /^utf-?16(le|be)$/i.exec(text.charset?.trim() ?? '') ?? [];
    if (order !== undefined) this.#decodeUtf16 = new TextDecoder(`utf-16${order.toLowerCase()}`);
  }

  push(bytes: Buffer): void {
    this.#take(this.#decode(bytes.toString('latin1')));
  }

  end(): void {
    if (this.#text.encoding === 'base64') this.#take(Buffer.from(this.#encodedRest, 'base64').toString('latin1'));
    this.#append(this.#lineRest);
    this.#search(0);
  }

  #take(decoded: string): void {
    const text = this.#characters(decoded);
    this.#append(this.#text.kind === 'calendar' ? this.#unfold(text) : text);
  }

  #characters(decoded: string): string {
    if (this.#decodeUtf16) return this.#decodeUtf16.decode(Buffer.from(decoded, 'latin1'), { stream: true });
    // Without its zeros, UTF-16 under another label can be searched like the rest.
    return decoded.includes('\0') ? decoded.replaceAll('\0', '') : decoded;
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
    // What may go on in the next window is found there again: it is then in what is kept.
    const isWhole = (end: number): boolean => keep === 0 || end + maxReferenceLength <= text.length;
    for (const match of text.matchAll(idMark)) {
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
    this.#window = keep > 0 ? text.slice(-keep) : '';
  }

  /** RFC 5545 section 3.1. */
  #unfold(chunk: string): string {
    const text = this.#lineRest + chunk;
    this.#lineRest = /(?:\r?\n|\r)$/.exec(text)?.[0] ?? '';
    return text.slice(0, text.length - this.#lineRest.length).replace(/\r?\n[ \t]/g, '');
  }

  #base64(chunk: string): string {
    const text = this.#encodedRest + chunk.replace(/[^A-Za-z0-9+/]+/g, '');
    const whole = text.length - (text.length % 4);
    this.#encodedRest = text.slice(whole);
    return Buffer.from(text.slice(0, whole), 'base64').toString('latin1');
  }

  #quoted(chunk: string): string {
    const text = this.#encodedRest + chunk;
    const cut = /=[ \t]{0,80}\r?$|=[0-9a-f]$/i.exec(text.slice(-84))?.[0].length ?? 0;
    this.#encodedRest = cut > 0 ? text.slice(-cut) : '';
    return text
      .slice(0, text.length - cut)
      .replace(/=(?:[ \t]{0,80}\r?\n|([0-9a-f]{2}))/gi, (_, hex?: string) =>
        hex === undefined ? '' : String.fromCharCode(parseInt(hex, 16)),
      );
  }
}

/** The addresses in an attribute value or `url(…)`, but for those that lead elsewhere. */
function placesIn(mark: string, tail: string): string[] {
  const quote = /^["']|^&quot;|^&#39;/.exec(tail)?.[0];
  const isStyle = mark.startsWith('u') || mark.startsWith('U');
  const rest = tail.slice(quote?.length ?? 0);
  const end = quote === undefined ? rest.search(isStyle ? /[)"'<>]/ : /[\s>]/) : rest.indexOf(quote);
  const value = end < 0 ? rest : rest.slice(0, end);
  const all = /^srcset/i.test(mark) ? value.split(',').map((entry) => entry.trim().split(/\s/, 1)[0]!) : [value];
  return all.filter((place) => !/^\s*(?:cid:|data:|mailto:|tel:|javascript:|#|$)/i.test(place));
}
