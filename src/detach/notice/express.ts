/** Substitutes for characters that a charset lacks. Characters that decompose (é, ﬁ, ½) need no entry. */
const substitutes: Readonly<Record<string, string>> = {
  '\u00a0': ' ',
  '\u202f': ' ',
  '\u2009': ' ',
  '\u3000': ' ',
  '‘': "'",
  '’': "'",
  '‚': "'",
  '‹': "'",
  '›': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '«': '"',
  '»': '"',
  '‐': '-',
  '‑': '-',
  '‒': '-',
  '–': '-',
  '—': '-',
  '―': '-',
  '−': '-',
  '•': '*',
  '·': '.',
  '…': '...',
  ß: 'ss',
  ẞ: 'SS',
  æ: 'ae',
  Æ: 'AE',
  œ: 'oe',
  Œ: 'OE',
  ø: 'o',
  Ø: 'O',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  Ð: 'D',
  þ: 'th',
  Þ: 'Th',
  ł: 'l',
  Ł: 'L',
  ı: 'i',
  '€': 'EUR',
  '£': 'GBP',
  '×': 'x',
  '⁄': '/',
};

type Has = (character: string) => boolean;

/** HTML in which every character that the charset lacks is a reference. */
export const expressHtml = (html: string, has: Has): string =>
  replaceMissing(html, { has, replace: (character) => `&#${character.codePointAt(0) ?? 0xfffd};` });

/** Text in which every character that the charset lacks is replaced by characters it has, at worst by `?`. */
export const expressText = (text: string, has: Has): string =>
  replaceMissing(text.normalize('NFC'), { has, replace: (character) => substitute(character, has) || '?' });

/** Whether every character can be written without `?`. */
export const canExpress = (text: string, has: Has): boolean =>
  Array.from(text.normalize('NFC')).every(
    (character) => character < '\u0080' || has(character) || substitute(character, has) !== '',
  );

function substitute(character: string, has: Has): string {
  const plain = substitutes[character] ?? character.normalize('NFKD').replace(/\p{M}+/gu, '');
  return Array.from(plain, (c) => (has(c) ? c : (substitutes[c] ?? ''))).join('');
}

interface Replacing {
  readonly has: Has;
  readonly replace: (character: string) => string;
}

const replaceMissing = (text: string, { has, replace }: Replacing): string =>
  text.replace(/[^\0-\x7f]/gu, (character) => (has(character) ? character : replace(character)));
