/** Their content is text up to the end tag (HTML standard section 13.2.5). */
const rawText = new Set('script style xmp iframe noembed noframes textarea title'.split(' '));

/** Elements that have no end tag, or whose end a `</select>` implies. */
export const unclosed = new Set(
  'area base br col embed frame hr img input link meta option optgroup param source track wbr'.split(' '),
);

export interface Tag {
  /** In small letters. */
  readonly name: string;
  readonly at: number;
  readonly end: number;
  /** As written in the tag. */
  readonly attributes: string;
}

export interface Visitor {
  open(tag: Tag): void;
  close(tag: Tag): void;
  text(at: number, end: number): void;
  /** How much markup is read at most, and how much was. */
  readonly most: number;
  read: number;
  /** Whether `<![CDATA[` is text here, as it is in a picture. */
  readonly isForeign: boolean;
}

/**
 * Tags, comments and lone `<` of one text that are read: a letter of 500 kB has some ten thousand. Each costs a
 * microsecond or two, and the event loop waits.
 */
export const maxMarkup = 30_000;

/**
 * Reads HTML as browsers do, in one pass for any input. @returns where the HTML ends, or where markup begins that is
 * never closed; undefined: there is too much of it, and the rest was not read
 */
export function scanHtml(text: string, visitor: Visitor): number | undefined {
  let at = 0;
  for (visitor.read = 0; visitor.read < visitor.most; visitor.read++) {
    const lt = text.indexOf('<', at);
    if (lt !== at) visitor.text(at, lt < 0 ? text.length : lt);
    if (lt < 0) return text.length;
    const next = skipMarkup(text, lt, visitor);
    if (next === undefined) return lt;
    at = next;
  }
  return undefined;
}

/** The position after the markup at `lt`; undefined when it goes to the end of the text. */
function skipMarkup(text: string, lt: number, visitor: Visitor): number | undefined {
  if (text.startsWith('<!--', lt)) {
    const abrupt = matchAt(/-?>/y, text, lt + 4);
    return abrupt ? lt + 4 + abrupt[0].length : after(text, /--!?>/g, lt + 4);
  }
  // This is text up to `]]>` in a picture, but a comment up to `>` in HTML inside the picture. The notice goes before
  // all of it.
  if (visitor.isForeign && text.startsWith('<![CDATA[', lt)) return undefined;
  const [, slash = '', rawName] = matchAt(/<(\/?)([a-zA-Z][^\t\n\f\r />]*)/y, text, lt) ?? [];
  if (rawName === undefined) return /[!?/]/.test(text[lt + 1] ?? '') ? after(text, />/g, lt + 1) : lt + 1;
  const nameEnd = lt + 1 + slash.length + rawName.length;
  const end = skipAttributes(text, nameEnd);
  if (end === undefined) return undefined;
  const tag = { name: rawName.toLowerCase(), at: lt, end, attributes: text.slice(nameEnd, end - 1) };
  if (slash === '/') {
    visitor.close(tag);
    return end;
  }
  if (tag.name === 'plaintext') return undefined;
  visitor.open(tag);
  if (!rawText.has(tag.name)) return end;
  return after(text, new RegExp(`(?=</${tag.name}[\\t\\n\\f\\r />])`, 'gi'), end);
}

/**
 * HTML standard sections 13.2.5.32 to 13.2.5.40: a quote begins a value only right after the equals sign of a named
 * attribute, and a `>` inside of it does not end the tag.
 */
function skipAttributes(text: string, start: number): number | undefined {
  let at = start;
  for (;;) {
    while (isBlank(text.charCodeAt(at)) || text.charCodeAt(at) === slash) at++;
    if (at >= text.length) return undefined;
    if (text.charCodeAt(at) === greater) return at + 1;
    // An equals sign here is the first character of a name.
    at++;
    while (at < text.length && !endsName(text.charCodeAt(at))) at++;
    let value = at;
    while (isBlank(text.charCodeAt(value))) value++;
    if (text.charCodeAt(value) !== equals) continue;
    value++;
    while (isBlank(text.charCodeAt(value))) value++;
    const quote = text[value];
    if (quote === '"' || quote === "'") {
      const close = text.indexOf(quote, value + 1);
      if (close < 0) return undefined;
      at = close + 1;
    } else {
      at = value;
      while (at < text.length && !isBlank(text.charCodeAt(at)) && text.charCodeAt(at) !== greater) at++;
    }
  }
}

const slash = 0x2f;
const equals = 0x3d;
const greater = 0x3e;

/** Tab, line feed, form feed, carriage return, space. */
const isBlank = (code: number): boolean =>
  code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09 || code === 0x0c;

const endsName = (code: number): boolean => code === equals || code === greater || code === slash || isBlank(code);

function after(text: string, pattern: RegExp, start: number): number | undefined {
  pattern.lastIndex = start;
  const match = pattern.exec(text);
  return match ? match.index + match[0].length : undefined;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Of the attributes that are asked for, by name. */
const patterns = new Map<string, RegExp>();

/** The value of an attribute in small letters, '' where it is not there. */
export function attributeOf({ attributes }: Tag, name: string): string {
  if (attributes.length === 0) return '';
  let pattern = patterns.get(name);
  if (pattern === undefined) {
    pattern = new RegExp(`(?:^|[\\s"'/])${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]*))`, 'i');
    patterns.set(name, pattern);
  }
  const found = pattern.exec(attributes);
  return (found?.[1] ?? found?.[2] ?? found?.[3] ?? '').toLowerCase();
}
