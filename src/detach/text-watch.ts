/**
 * Reads along in the texts of a message for what decides over its files: the parts that an HTML text shows
 * (`cid:`, RFC 2392), and PGP written into a plain text. Holds a few hundred characters.
 */

/** More references than any mail has: from there on every part with a Content-ID counts as shown. */
const maxReferences = 10_000;
const maxReferenceLength = 256;

const reference = /cid:([^"'<>\s\\]{1,256})/gi;
const pgpMark = /(?:^|\n)-----BEGIN PGP (?:SIGNED )?MESSAGE-----/;

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
    this.#window += decoded.includes('\0') ? decoded.replaceAll('\0', '') : decoded;
    const keep = maxReferenceLength + 8;
    if (this.#window.length > keep * 4) this.#search(keep);
  }

  end(): void {
    this.#search(0);
  }

  #search(keep: number): void {
    const text = this.#window;
    if (this.#html) {
      // A reference at the very end may go on in the next chunk; it is then in what is kept.
      for (const match of text.matchAll(reference))
        if (keep === 0 || match.index + match[0].length < text.length) this.#mentions.add(match[1]!);
    } else if (pgpMark.test(text)) this.#mentions.pgp = true;
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
      .replace(/=[ \t]*\r?\n/g, '')
      .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  }
}
