/** References that mail programs write for characters of names, addresses and markers; others stay as they are. */
const named: Readonly<Record<string, string>> = {
  amp: '&',
  apos: "'",
  colon: ':',
  commat: '@',
  dollar: '$',
  equals: '=',
  gt: '>',
  hyphen: '-',
  laquo: '«',
  lowbar: '_',
  lpar: '(',
  lt: '<',
  nbsp: '\u00a0',
  num: '#',
  percnt: '%',
  period: '.',
  plus: '+',
  quot: '"',
  raquo: '»',
  rpar: ')',
  sol: '/',
  szlig: 'ß',
};

const marks: Readonly<Record<string, string>> = {
  acute: '\u0301',
  grave: '\u0300',
  circ: '\u0302',
  uml: '\u0308',
  tilde: '\u0303',
  cedil: '\u0327',
  ring: '\u030a',
};

/** Resolves the character references of HTML (HTML standard section 13.5) that matter here. */
export function unescapeHtml(html: string): string {
  if (!html.includes('&')) return html;
  return html.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z])(acute|grave|circ|uml|tilde|cedil|ring)|([a-z]{2,6}));?/gi,
    (whole, ...[decimal, hex, letter, mark, name]: (string | undefined)[]) => {
      if (decimal !== undefined) return character(Number(decimal), whole);
      if (hex !== undefined) return character(parseInt(hex, 16), whole);
      if (letter !== undefined && mark !== undefined)
        return (letter + (marks[mark.toLowerCase()] ?? '')).normalize('NFC');
      return named[name?.toLowerCase() ?? ''] ?? whole;
    },
  );
}

const character = (code: number, otherwise: string): string =>
  code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : otherwise;
