import { HtmlLines } from './html-lines.ts';
import { attributeOf, scanHtml, unclosed, type Tag, type Visitor } from './html-scan.ts';
import { findLine, type Position } from './newest-text.ts';
import { SearchBudget } from './search-budget.ts';
import { unescapeHtml } from './unescape-html.ts';

/** Their content is hidden, dropped or a picture: a notice inside would not be seen. */
const swallowing = new Set(
  'select template svg math object audio video canvas applet noscript details dialog datalist progress meter rp'.split(
    ' ',
  ),
);
/** Their content is not shown, and text is not valid in them. */
const silent = new Set('script style xmp iframe noembed noframes textarea title head'.split(' '));

export interface HtmlOptions {
  readonly position: Position;
  /** What a stretch of the text says in its charset. */
  readonly read: (text: string) => string;
  readonly budget?: SearchBudget;
}

/**
 * Finds a place where a fragment is seen: after the newest text. Where the newest text goes on to the end, the place is
 * before the last `</body>`, else before the last `</html>`, else at the end or before an element that is never closed.
 * undefined: there is none, in a frameset or where all is hidden, or the newest text goes on beyond what is read.
 */
export function findHtmlPlace(
  text: string,
  { position, read, budget = new SearchBudget() }: HtmlOptions = { position: 'newest', read: (t) => t },
): number | undefined {
  const most = budget.lines;
  const scan = new Scan(budget.markup, new HtmlLines(text, { read, most }));
  const end = scanHtml(text, scan);
  budget.spend({ lines: scan.lines.lines.length, markup: scan.read });
  if (scan.isUnseen) return undefined;
  const lines = scan.lines.end();
  const line = lines[findLine(lines, { position, most })];
  // Where there is too much to read, what would follow the newest text is not known.
  if (end === undefined) return line?.at;
  const place = scan.body ?? scan.html ?? scan.swallower?.at ?? end;
  return Math.min(line?.at ?? place, place);
}

class Scan implements Visitor {
  body: number | undefined;
  html: number | undefined;
  /** The element that swallows what is said here: where it begins, and what was opened from there on. */
  swallower: { readonly at: number; readonly open: string[] } | undefined;
  /** A frameset, or hidden as a whole. */
  isUnseen = false;
  read = 0;
  readonly most: number;
  readonly lines: HtmlLines;
  #sawBody = false;
  #silent: string | undefined;

  constructor(most: number, lines: HtmlLines) {
    this.most = most;
    this.lines = lines;
  }

  get isForeign(): boolean {
    return this.swallower !== undefined;
  }

  open(tag: Tag): void {
    const { name } = tag;
    if (name === 'body') this.#sawBody = true;
    const isRoot = name === 'body' || name === 'html';
    if ((name === 'frameset' && !this.#sawBody) || (isRoot && isHidden(tag))) this.isUnseen = true;
    if (this.#silent === 'head' && name === 'body') this.#silent = undefined;
    const isSelfClosed = tag.attributes.endsWith('/');
    if (this.swallower !== undefined) {
      const { open } = this.swallower;
      const isForeign = open[0] === 'svg' || open[0] === 'math';
      if (!unclosed.has(name) && !(isForeign && isSelfClosed)) open.push(name);
      return;
    }
    if (silent.has(name)) this.#silent ??= name;
    this.lines.open(tag);
    const isWhole = (name === 'svg' || name === 'math') && isSelfClosed;
    if ((swallowing.has(name) && !isWhole) || (!isRoot && isHidden(tag))) this.swallower = { at: tag.at, open: [name] };
  }

  /**
   * A swallower ends where everything in it has ended. Browsers may ignore its end tag where tags are crossed; it then
   * counts as open, and the notice goes before it.
   */
  close(tag: Tag): void {
    const { name, at } = tag;
    if (name === 'body') this.body = this.swallower?.at ?? at;
    else if (name === 'html') this.html = this.swallower?.at ?? at;
    if (this.#silent === name) this.#silent = undefined;
    const open = this.swallower?.open;
    if (open === undefined) this.lines.close(tag);
    if (open?.at(-1) !== name) return;
    open.pop();
    if (open.length > 0) return;
    this.swallower = undefined;
    this.lines.close(tag);
  }

  text(at: number, end: number): void {
    if (this.swallower === undefined && this.#silent === undefined) this.lines.words(at, end);
  }
}

/** Styles that hide an element or move it off the screen, and those that do where it has no size and clips. */
const zero = '0*(?:\\.0*)?(?:px|pt|em|rem|%|v[hw])?\\s*(?:;|!|$)';
const hiding = new RegExp(
  [
    'display\\s*:\\s*none|visibility\\s*:\\s*(?:hidden|collapse)|mso-hide\\s*:\\s*all',
    `(?:opacity|max-height|zoom)\\s*:\\s*${zero}`,
    // Too faint, small or blurred to be read.
    '(?:opacity|zoom|scale)\\s*:\\s*0*\\.[01]\\d*\\s*(?:;|!|$)|scale\\s*:\\s*0+\\s*(?:;|!|$)|blur\\(\\s*(?:[4-9]|\\d\\d)',
    // Out of sight.
    '(?:left|top|right|bottom|inset|translate|margin|margin-left|margin-top)\\s*:\\s*-\\d{4}|(?:left|top)\\s*:\\s*-(?:[3-9]\\d\\d|\\d{3,}v[wh])|translate[xy]?\\(\\s*-\\d{4}',
    'clip\\s*:\\s*rect\\(\\s*[01](?:px)?[\\s,]|clip-path\\s*:\\s*inset\\((?:[5-9]\\d|100)%|clip-path\\s*:\\s*(?:circle|ellipse|polygon)\\(\\s*0[^,)]{0,40}\\)|scale(?:[xy]|3d)?\\(0*(?:\\.0\\d*)?[,)]|opacity\\((?:0[%)]|[1-9]%)',
    'translate3d\\(\\s*-\\d{4}|matrix\\(0[,.]|rotate[xy]\\(90deg|contain\\s*:[^;]{0,40}(?:size|strict)|mask(?:-image)?\\s*:(?!\\s*none)|(?:brightness|contrast)\\(0[%)]',
  ].join('|'),
);
const clipping = /overflow(?:-[xy])?\s*:\s*(?:hidden|clip|auto|scroll)/;
const empty = new RegExp(`(?:^|[;\\s]|max-)(?:height|width|block-size|inline-size)\\s*:\\s*(?:${zero}|[1-3]px)`);

/** Hidden elements: preheaders of newsletters, and content for other programs. */
function isHidden(tag: Tag): boolean {
  if (unclosed.has(tag.name) || tag.attributes === '') return false;
  if (/(?:^|[\s"'])(?:hidden|popover|inert)(?=$|[\s=/])/i.test(tag.attributes.replace(/"[^"]*"|'[^']*'/g, '""')))
    return true;
  const style = plainStyle(attributeOf(tag, 'style'));
  if (style === '') return false;
  if (hiding.test(style)) return true;
  // What the whole document clips, browsers scroll.
  return tag.name !== 'body' && tag.name !== 'html' && clipping.test(style) && empty.test(style);
}

/** Without what only hides a declaration from those who look for it: references, comments, escapes (CSS Syntax 4.3.7). */
function plainStyle(style: string): string {
  if (!/[&\\]|\/\*/.test(style)) return style;
  return unescapeHtml(style)
    .replace(/\/\*[^]*?(?:\*\/|$)/g, ' ')
    .replace(/\\([0-9a-f]{1,6})\s?|\\(.)/gi, (_, hex?: string, plain?: string) =>
      hex === undefined ? (plain ?? '') : hex.length > 4 ? '' : String.fromCharCode(parseInt(hex, 16)),
    )
    .toLowerCase();
}
