/** What is inside is text up to the end tag (HTML standard section 13.2.5). */
const rawText = new Set('script style xmp iframe noembed noframes textarea title'.split(' '));
/** What is inside is hidden, dropped or a picture: no place for words. */
const swallowing = new Set(
  'select template svg math object audio video canvas applet noscript details dialog datalist'.split(' '),
);

interface Scan {
  body: number | undefined;
  html: number | undefined;
  /** The element that swallows what is said here: where it begins, its name and how often it stands in itself. */
  swallower: { readonly at: number; readonly name: string; depth: number } | undefined;
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
  // `<!-->` and `<!--->` are whole comments.
  if (text.startsWith('<!--', lt)) return after(text, /--!?>/g, lt + 2);
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

function openTag(name: string, tag: { readonly at: number; readonly selfClosed: boolean }, scan: Scan): void {
  if (name === 'body') scan.sawBody = true;
  if (name === 'frameset' && !scan.sawBody) scan.frames = true;
  if (!swallowing.has(name) || ((name === 'svg' || name === 'math') && tag.selfClosed)) return;
  if (scan.swallower === undefined) scan.swallower = { at: tag.at, name, depth: 1 };
  else if (scan.swallower.name === name) scan.swallower.depth++;
}

function closeTag(name: string, at: number, scan: Scan): void {
  if (name === 'body') scan.body = scan.swallower?.at ?? at;
  else if (name === 'html') scan.html = scan.swallower?.at ?? at;
  else if (scan.swallower?.name === name && --scan.swallower.depth === 0) scan.swallower = undefined;
}

/** Quotes mean something only after an equals sign; a `>` in them does not end the tag. */
function skipAttributes(text: string, start: number): number | undefined {
  const stop = /[>=]/g;
  stop.lastIndex = start;
  for (;;) {
    const at = stop.exec(text)?.index;
    if (at === undefined) return undefined;
    if (text[at] === '>') return at + 1;
    const value = matchAt(/=[\t\n\f\r ]*("|'|[^\t\n\f\r >]*)/y, text, at);
    const from = at + (value?.[0].length ?? 1);
    const quote = value?.[1];
    if (quote === '"' || quote === "'") {
      const close = text.indexOf(quote, from);
      if (close < 0) return undefined;
      stop.lastIndex = close + 1;
    } else stop.lastIndex = from;
  }
}

function after(text: string, pattern: RegExp, start: number): number | undefined {
  pattern.lastIndex = start;
  const match = pattern.exec(text);
  return match ? match.index + match[0].length : undefined;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
