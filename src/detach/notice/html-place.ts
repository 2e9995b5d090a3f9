/** What is inside is text up to the end tag (HTML standard section 13.2.5). */
const rawText = new Set('script style xmp iframe noembed noframes textarea title'.split(' '));
/** What is inside is hidden, dropped or a picture: no place for words. */
const swallowing = new Set(
  'select template svg math object audio video canvas applet noscript details dialog datalist'.split(' '),
);

interface Scan {
  body: number | undefined;
  html: number | undefined;
  /** The element that swallows what is said here: where it begins, and what was opened from there on. */
  swallower: { readonly at: number; readonly open: string[] } | undefined;
  sawBody: boolean;
  frames: boolean;
}

/**
 * Where a fragment can stand to be seen: before the last `</body>`, else before the last `</html>`, else at the end
 * or before what is never closed there. undefined: a frameset. One pass, whatever the input.
 */
export function findHtmlPlace(text: string): number | undefined {
  const scan: Scan = { body: undefined, html: undefined, swallower: undefined, sawBody: false, frames: false };
  let at = 0;
  let end = text.length;
  for (;;) {
    const lt = text.indexOf('<', at);
    if (lt < 0) break;
    const next = skipMarkup(text, lt, scan);
    if (next === undefined) {
      end = lt;
      break;
    }
    at = next;
  }
  if (scan.frames) return undefined;
  return scan.body ?? scan.html ?? scan.swallower?.at ?? end;
}

/** The position after the markup at `lt`; undefined when it goes to the end of the text. */
function skipMarkup(text: string, lt: number, scan: Scan): number | undefined {
  if (text.startsWith('<!--', lt)) {
    const abrupt = matchAt(/-?>/y, text, lt + 4);
    return abrupt ? lt + 4 + abrupt[0].length : after(text, /--!?>/g, lt + 4);
  }
  // Text up to `]]>` in a picture, a comment up to `>` in words that stand in one: the notice goes before all of it.
  if (scan.swallower && text.startsWith('<![CDATA[', lt)) return undefined;
  const [, slash = '', rawName] = matchAt(/<(\/?)([a-zA-Z][^\t\n\f\r />]*)/y, text, lt) ?? [];
  if (rawName === undefined) return /[!?/]/.test(text[lt + 1] ?? '') ? after(text, />/g, lt + 1) : lt + 1;
  const tagEnd = skipAttributes(text, lt + 1 + slash.length + rawName.length);
  if (tagEnd === undefined) return undefined;
  const name = rawName.toLowerCase();
  if (slash === '/') {
    closeTag(name, lt, scan);
    return tagEnd;
  }
  if (name === 'plaintext') return undefined;
  openTag(name, { at: lt, selfClosed: text[tagEnd - 2] === '/' }, scan);
  if (!rawText.has(name)) return tagEnd;
  return after(text, new RegExp(`(?=</${name}[\\t\\n\\f\\r />])`, 'gi'), tagEnd);
}

/** Elements that have no end tag, or whose end a `</select>` implies. */
const unclosed = new Set(
  'area base br col embed frame hr img input link meta option optgroup param source track wbr'.split(' '),
);

function openTag(name: string, tag: { readonly at: number; readonly selfClosed: boolean }, scan: Scan): void {
  if (name === 'body') scan.sawBody = true;
  if (name === 'frameset' && !scan.sawBody) scan.frames = true;
  if (scan.swallower === undefined) {
    const isWhole = (name === 'svg' || name === 'math') && tag.selfClosed;
    if (swallowing.has(name) && !isWhole) scan.swallower = { at: tag.at, open: [name] };
    return;
  }
  const { open } = scan.swallower;
  const isForeign = open[0] === 'svg' || open[0] === 'math';
  if (!unclosed.has(name) && !(isForeign && tag.selfClosed)) open.push(name);
}

/**
 * A swallower ends where everything in it has ended. Where tags are crossed, browsers may ignore its end tag: then it
 * counts as open, and the notice goes before it.
 */
function closeTag(name: string, at: number, scan: Scan): void {
  if (name === 'body') scan.body = scan.swallower?.at ?? at;
  else if (name === 'html') scan.html = scan.swallower?.at ?? at;
  const open = scan.swallower?.open;
  if (open?.at(-1) !== name) return;
  open.pop();
  if (open.length === 0) scan.swallower = undefined;
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
