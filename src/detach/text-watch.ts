/**
 * Reads along in the texts of a message for what decides over its files: the parts that an HTML text shows
 * (`cid:`, RFC 2392), and PGP written into a text. Holds a few thousand characters.
 */

/** More references than any mail has: from there on every part with a Content-ID counts as shown. */
const maxReferences = 10_000;
const maxReferenceLength = 256;

const reference = /cid:([^"'<>\s\\]{1,256})/gi;
const pgpMark = {
  text: /\n-----BEGIN PGP (?:SIGNED )?MESSAGE-----/,
  html: /[\n>][ \t]*-----BEGIN PGP (?:SIGNED )?MESSAGE-----/,
};

/** Searched at once. The windows lie where they lie however the text was cut, so that what is found is the same. */
const windowLength = 16 * 1024;
const overlap = maxReferenceLength + 8;

/** What the texts of one message said. */
export class Mentions {
  readonly #references = new Set<string>();
  pgp = false;

  add(encoded: string): void {
    if (this.#references.has(encoded) || this.#references.size >= maxReferences) return;
    this.#references.add(encoded);
    for (const id of spellings(encoded)) this.#references.add(id);
  }

  shows(contentId: string): boolean {
    return this.#references.size >= maxReferences || spellings(contentId).some((id) => this.#references.has(id));
  }
}

/** An id as it stands there, and as it is meant when escaped for an address or for HTML, or inside of `url(…)`. */
function spellings(id: string): string[] {
  const html = id
    .replace(/&#(\d{1,3});/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/&#x([0-9a-f]{1,2});/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
    .replace(/&amp;/gi, '&');
  const all = [id, html, percentDecode(html)].map((s) => s.toLowerCase());
  return [...new Set(all.flatMap((s) => [s, s.replace(/[),;#?&].*$/s, '')]))];
}

const percentDecode = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

export class TextWatch {
  readonly #mentions: Mentions;
  readonly #html: boolean;
  readonly #decode: (chunk: string) => string;
  #encodedRest = '';
  #window = '\n';

  constructor(mentions: Mentions, options: { readonly html: boolean; readonly encoding: string }) {
    this.#mentions = mentions;
    this.#html = options.html;
    const decoders = { base64: (c: string) => this.#base64(c), 'quoted-printable': (c: string) => this.#quoted(c) };
    this.#decode = Object.hasOwn(decoders, options.encoding)
      ? decoders[options.encoding as keyof typeof decoders]
      : (c) => c;
  }

  push(bytes: Buffer): void {
    // Without its zeros, UTF-16 can be searched like the rest.
    const decoded = this.#decode(bytes.toString('latin1'));
    const text = decoded.includes('\0') ? decoded.replaceAll('\0', '') : decoded;
    for (let at = 0; at < text.length;) {
      const step = text.slice(at, at + windowLength - this.#window.length);
      this.#window += step;
      at += step.length;
      if (this.#window.length === windowLength) this.#search(overlap);
    }
  }

  end(): void {
    this.#search(0);
  }

  #search(keep: number): void {
    const text = this.#window;
    if (pgpMark[this.#html ? 'html' : 'text'].test(text)) this.#mentions.pgp = true;
    if (this.#html) {
      // A reference at the very end may go on in the next chunk; it is then in what is kept.
      for (const match of text.matchAll(reference))
        if (keep === 0 || match.index + match[0].length < text.length) this.#mentions.add(match[1]!);
    }
    this.#window = keep > 0 ? text.slice(-keep) : '';
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
