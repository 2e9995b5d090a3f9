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
  /** Whether `<![CDATA[` is text here, as it is in a picture. */
  readonly isForeign: boolean;
}

/**
 * Reads HTML as browsers do, in one pass for any input. @returns where the HTML ends, or where markup begins that is
 * never closed
 */
export function scanHtml(text: string, visitor: Visitor): number {
  let at = 0;
  for (;;) {
    const lt = text.indexOf('<', at);
    if (lt !== at) visitor.text(at, lt < 0 ? text.length : lt);
    if (lt < 0) return text.length;
    const next = skipMarkup(text, lt, visitor);
    if (next === undefined) return lt;
    at = next;
  }
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
    at = endOf(/[\t\n\f\r /]*/y, text, at);
    if (at >= text.length) return undefined;
    if (text[at] === '>') return at + 1;
    const name = endOf(/=?[^\t\n\f\r />=]*/y, text, at);
    const equals = endOf(/[\t\n\f\r ]*/y, text, name);
    at = name;
    if (text[equals] !== '=') continue;
    const value = endOf(/[\t\n\f\r ]*/y, text, equals + 1);
    const quote = text[value];
    if (quote === '"' || quote === "'") {
      const close = text.indexOf(quote, value + 1);
      if (close < 0) return undefined;
      at = close + 1;
    } else at = endOf(/[^\t\n\f\r >]*/y, text, value);
  }
}

const endOf = (pattern: RegExp, text: string, at: number): number => at + (matchAt(pattern, text, at)?.[0].length ?? 0);

function after(text: string, pattern: RegExp, start: number): number | undefined {
  pattern.lastIndex = start;
  const match = pattern.exec(text);
  return match ? match.index + match[0].length : undefined;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** The value of an attribute in small letters, '' where it is not there. */
export function attributeOf({ attributes }: Tag, name: string): string {
  if (attributes.length === 0) return '';
  const found = new RegExp(`(?:^|[\\s"'/])${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]*))`, 'i').exec(attributes);
  return (found?.[1] ?? found?.[2] ?? found?.[3] ?? '').toLowerCase();
}
