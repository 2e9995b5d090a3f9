/** Divides HTML into lines, each with the place before it. The newest text is found in these lines. */
import { unescapeHtml } from './unescape-html.ts';
import { attributeOf, unclosed, type Tag } from './html-scan.ts';
import type { Line } from './newest-text.ts';

export interface HtmlLine extends Line {
  /** Where a fragment can stand before it. */
  readonly at: number;
}

/** Elements that begin and end a line. */
const blocks = new Set(
  (
    'address article aside blockquote body br center dd details div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 ' +
    'header hr html li main nav ol p pre section table tbody td tfoot th thead tr ul'
  ).split(' '),
);
/** Inside these only rows are valid, and inside rows only cells: a notice cannot go before one of them. */
const tableParts = new Set('tr tbody thead tfoot colgroup col caption html head body'.split(' '));
const cells = new Set('td th li dd dt'.split(' '));

/** More or longer lines are not needed to find where the newest text ends. */
const maxLineLength = 400;

/** Classes and ids of elements that hold quoted or forwarded text. Webmail puts `x_` before those of other programs. */
const quoteNames =
  /(?:^|\s)(?:x_)*(?:gmail_quote(?:_container)?|gmail_attr|yahoo_quoted|yahoo-quoted-begin|moz-cite-prefix|moz-forward-container|moz-email-headers-table|protonmail_quote|tutanota_quote|zmail_extra|outlookmessageheader|front-blockquote|wisestamp_quote|reply-intro|isreplycontent|isforwardcontent|quotedtext|ydp\w*yahoo_quoted|yahoo_quoted_\w+)(?=\s|$)/;
/** After these comes the older message, to the end. */
const oldNames =
  /(?:^|\s)(?:x_)*(?:divrplyfwdmsg|appendonsend|olk_src_body_section|mail-editor-reference-message-container|ms-outlook-mobile-reference-message|zwchr|messagereplysection|origbody|replyforwardseparator)(?=\s|$)/;
const signatureNames =
  /(?:^|\s)(?:x_)*(?:moz-signature|gmail_signature(?:_prefix)?|applemailsignature|applemail-signature|ms-outlook-mobile-signature|mac_outlook_signature|_mailautosig|protonmail_signature_block(?:-user)?|tutanota_signature|messagesignaturesection|signature|zsignature\w*|zm-_id_-sgn\w*|yahoo-signature|ydp\w*signature|ymail_android_signature|_rc_sig|bloop_sign\w*|(?:composer|edo|front|mailbird|missive|mobile|sh|spark|titan)[-_]signature)(?=\s|$)/;
/** Elements around a quotation and the line that names its author. An answer below the quotation is in them too. */
const quoteBoxNames =
  /(?:^|\s)(?:x_)*(?:gmail_quote(?:_container)?|protonmail_quote|missive_quote|zmail_extra)(?=\s|$)/;

export class HtmlLines {
  readonly #text: string;
  readonly #read: (text: string) => string;
  readonly #most: number;
  readonly lines: HtmlLine[] = [];
  #line = '';
  #lineAt = 0;
  #quotedAtStart = false;
  /** The first tag that opened something since the last words, where a fragment can stand. */
  #run: { readonly at: number; readonly inCell: boolean } | undefined;
  #quote: OpenElement | undefined;
  /** Inside a box around a quotation: how many lines it had before anything in it was quoted. */
  #box: { lines: number; inner: OpenElement | undefined; isPast: boolean } | undefined;
  #signatureElement: OpenElement | undefined;
  #old = false;
  #ruled = false;
  #signature = false;
  #preformatted = 0;

  constructor(text: string, { read, most }: { readonly read: (text: string) => string; readonly most: number }) {
    this.#text = text;
    this.#read = read;
    this.#most = most;
  }

  open(tag: Tag): void {
    if (this.#isFull) return;
    const { name } = tag;
    if (blocks.has(name)) this.#break();
    if (name === 'body' || name === 'html') this.#run = undefined;
    else if (this.#run === undefined && !tableParts.has(name))
      this.#run = cells.has(name) ? { at: tag.end, inCell: true } : { at: tag.at, inCell: false };
    if (name === 'pre') this.#preformatted += 1;
    if (name === 'hr') this.#ruled = true;
    this.#mark(tag);
  }

  close({ name }: Tag): void {
    if (this.#isFull) return;
    if (blocks.has(name)) this.#break();
    if (name === 'pre' && this.#preformatted > 0) this.#preformatted -= 1;
    if (cells.has(name) && this.#run?.inCell === true) this.#run = undefined;
    if (this.#box !== undefined && hasEnded(this.#box.inner, name)) {
      this.#box.inner = undefined;
      this.#box.isPast = true;
    }
    if (hasEnded(this.#quote, name)) {
      this.#quote = undefined;
      this.#box = undefined;
    }
    if (hasEnded(this.#signatureElement, name)) {
      this.#signatureElement = undefined;
      // An empty one: what follows is no signature.
      if (this.#line.trim() === '') this.#signature = false;
    }
  }

  words(at: number, end: number): void {
    if (this.#preformatted === 0) {
      if (!this.#isFull) this.#add(this.#text.slice(at, end), at);
      return;
    }
    for (let start = at; start < end && !this.#isFull;) {
      const lineEnd = this.#text.indexOf('\n', start);
      const next = lineEnd < 0 || lineEnd >= end ? end : lineEnd + 1;
      this.#add(this.#text.slice(start, next), start);
      start = next;
      if (this.#text[next - 1] === '\n') this.#break();
    }
  }

  /** One more than are looked at: so the last of them is not the last one of the text. */
  get #isFull(): boolean {
    return this.lines.length > this.#most;
  }

  end(): HtmlLine[] {
    this.#break();
    return this.lines;
  }

  #mark(tag: Tag): void {
    const names = `${attributeOf(tag, 'class')} ${attributeOf(tag, 'id')} ${attributeOf(tag, 'name')}`;
    if (oldNames.test(names)) this.#old = true;
    if (this.#signatureElement?.name === tag.name) this.#signatureElement.depth += 1;
    if (signatureNames.test(names)) {
      this.#signature = true;
      this.#signatureElement ??= { name: tag.name, depth: 1 };
    }
    const style = attributeOf(tag, 'style');
    if (/border-top\s*:\s*(?!none|0)[^;]{0,100}\d/.test(style)) this.#ruled = true;
    if (this.#quote !== undefined) {
      if (this.#quote.name === tag.name) this.#quote.depth += 1;
      this.#markInBox(tag);
    } else if (!unclosed.has(tag.name) && (isQuotation(tag, style) || quoteNames.test(names) || isOfGmx(tag))) {
      this.#break();
      this.#quote = { name: tag.name, depth: 1 };
      const isBox = tag.name !== 'blockquote' && quoteBoxNames.test(names);
      if (isBox) this.#box = { lines: 0, inner: undefined, isPast: false };
    }
  }

  /** A quotation right below the line that names its author: what follows it in the box are the author's own words. */
  #markInBox({ name }: Tag): void {
    const box = this.#box;
    if (box?.inner?.name === name) box.inner.depth += 1;
    else if (box?.inner === undefined && name === 'blockquote' && box !== undefined && (box.isPast || box.lines <= 1))
      box.inner = { name, depth: 1 };
  }

  get #isQuoted(): boolean {
    return this.#quote !== undefined && (this.#box?.isPast !== true || this.#box.inner !== undefined);
  }

  #add(source: string, at: number): void {
    const room = maxLineLength - this.#line.length;
    const text = room > 0 ? unescapeHtml(this.#read(source.slice(0, room * 4))).replace(/\s+/g, ' ') : '';
    if (this.#line.trim() === '') {
      if (text.trim() === '' && room > 0) return;
      this.#lineAt = this.#run?.at ?? at;
      this.#quotedAtStart = this.#isQuoted;
      this.#line = '';
    }
    this.#run = undefined;
    this.#line += text;
  }

  #break(): void {
    if (this.#line.trim() === '') {
      this.#line = '';
      return;
    }
    const text = this.#line.trimStart();
    this.lines.push({
      text: text.trim() === '--' ? '-- ' : text,
      at: this.#lineAt,
      isQuoted: this.#quotedAtStart || text.startsWith('>'),
      isOld: this.#old,
      isRuled: this.#ruled,
      isSignature: this.#signature,
    });
    if (this.#box !== undefined) this.#box.lines += 1;
    this.#line = '';
    this.#old = false;
    this.#ruled = false;
    this.#signature = false;
  }
}

interface OpenElement {
  readonly name: string;
  depth: number;
}

/** Whether this end tag ends the element. */
function hasEnded(element: OpenElement | undefined, name: string): boolean {
  if (element?.name !== name) return false;
  element.depth -= 1;
  return element.depth === 0;
}

const isOfGmx = (tag: Tag): boolean => tag.name === 'div' && attributeOf(tag, 'name') === 'quote';

/** Gmail and Apple Mail indent the author's own words with an element made for quotations. */
function isQuotation(tag: Tag, style: string): boolean {
  if (tag.name !== 'blockquote') return false;
  const marked = attributeOf(tag, 'type') === 'cite' || attributeOf(tag, 'cite') !== '';
  return marked || !/border(?:-width)?\s*:\s*(?:none|0)|margin(?:-left)?\s*:\s*(?:0\s+0\s+0\s+)?40px/.test(style);
}
