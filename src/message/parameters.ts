import { decodeLabelled, decodeUnlabelled } from './charset.ts';
import { decodeWords } from './encoded-word.ts';
import { percentDecode } from './percent.ts';
import { trimBlanks } from './trim-blanks.ts';

/** `params` by lower-case name. Values are Unicode, but for `boundary`: the byte string that stands in the body. */
export interface ParsedValue {
  readonly params: ReadonlyMap<string, string>;
  /** False: more parts than are looked at, see `maxSeparators`. The parameters were not read. */
  readonly readable: boolean;
}

/**
 * Semicolons, quotes and parentheses of one value. A file name of 16 KiB in continuations (RFC 2231) has less; each
 * costs as much as some hundred ordinary characters.
 */
const maxSeparators = 1000;

/**
 * Content-Type (RFC 2045 section 5.1) of an unfolded byte string. Never throws; the type is lower case, without
 * comments, as declared: `text`, '' and worse are possible. Of a parameter given twice the first one counts.
 */
export function parseContentType(value: string): ParsedValue & { readonly type: string } {
  const { head, ...rest } = parseValue(value);
  return { type: head, ...rest };
}

/** Content-Disposition (RFC 2183 section 2) of an unfolded byte string, read as `parseContentType` does. */
export function parseDisposition(value: string): ParsedValue & { readonly disposition: string } {
  const { head, ...rest } = parseValue(value);
  return { disposition: head, ...rest };
}

function parseValue(value: string): ParsedValue & { readonly head: string } {
  if (hasTooManySeparators(value))
    return { head: headOf(/^[^;(]*/.exec(value)![0]), params: new Map(), readable: false };
  const comments = findComments(value);
  const end = nextOf(/[;(]/g, value, { at: 0, comments });
  const head = headOf(withoutComments(value, { from: 0, to: end, comments }));
  return { head, params: assemble(scan(value, { at: end, comments })), readable: true };
}

const headOf = (text: string): string => text.replace(/\s+/g, '').toLowerCase();

function hasTooManySeparators(value: string): boolean {
  let count = 0;
  for (const character of value) if (';"()'.includes(character)) count += 1;
  return count > maxSeparators;
}

/** Where a comment (RFC 822 section 3.4.3) begins, and the position after its end. */
type Comments = ReadonlyMap<number, number>;

/** All at once: looking for the end at every parenthesis would take quadratic time on `((((`. */
function findComments(value: string): Comments {
  const comments = new Map<number, number>();
  const open: number[] = [];
  for (const { 0: c, index } of value.matchAll(/\\[^]|[()]/g)) {
    if (c === '(') open.push(index);
    else if (c === ')') {
      const start = open.pop();
      if (start !== undefined) comments.set(start, index + 1);
    }
  }
  return comments;
}

interface Place {
  readonly at: number;
  readonly comments: Comments;
}

/** The next character of the set (which includes the parenthesis) outside of comments, or the end. */
function nextOf(set: RegExp, value: string, { at, comments }: Place): number {
  set.lastIndex = at;
  for (;;) {
    const found = set.exec(value)?.index;
    if (found === undefined) return value.length;
    if (value[found] !== '(') return found;
    set.lastIndex = comments.get(found) ?? found + 1;
  }
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly comments: Comments;
}

function withoutComments(value: string, { from, to, comments }: Range): string {
  const part = value.slice(from, to);
  let out = '';
  let at = 0;
  for (let open = part.indexOf('('); open >= 0; open = part.indexOf('(', Math.max(at, open + 1))) {
    const end = comments.get(from + open);
    if (end === undefined) continue;
    out += `${part.slice(at, open)} `;
    at = end - from;
  }
  return out + part.slice(at);
}

interface RawParam {
  readonly name: string;
  readonly value: string;
}

/** The parameters as they stand there, quotes and comments removed: byte strings. */
function scan(value: string, { at: start, comments }: Place): RawParam[] {
  const params: RawParam[] = [];
  let at = start;
  while (at < value.length) {
    const stop = nextOf(/[;=(]/g, value, { at, comments });
    if (value[stop] === '=') {
      const name = withoutComments(value, { from: at, to: stop, comments }).trim().toLowerCase();
      const from = skipBlanks(value, stop + 1);
      const read = value[from] === '"' ? readQuoted(value, from) : readUnquoted(value, { at: from, comments });
      if (name !== '') params.push({ name, value: read.text });
      at = beginsParam(value, read.end) ? read.end : nextOf(/[;(]/g, value, { at: read.end, comments });
    } else at = stop + 1;
  }
  return params;
}

interface Read {
  readonly text: string;
  readonly end: number;
}

/**
 * A quoted-string (RFC 822 section 3.3). Names come with quotes that nobody escaped and with backslashes that were
 * meant as such (`"C:\temp\a.pdf"`): a quote ends the string only where a parameter can end, and a backslash
 * escapes only what must be escaped.
 */
function readQuoted(value: string, quote: number): Read {
  let text = '';
  let from = quote + 1;
  const special = /["\\]/g;
  for (;;) {
    special.lastIndex = from;
    const at = special.exec(value)?.index;
    if (at === undefined) return { text: text + value.slice(from), end: value.length };
    text += value.slice(from, at);
    if (value[at] === '\\') {
      const next = value[at + 1];
      const escape = next === '"' || next === '\\';
      text += escape ? next : '\\';
      from = at + (escape ? 2 : 1);
    } else if (endsHere(value, at + 1)) return { text, end: at + 1 };
    else {
      text += '"';
      from = at + 1;
    }
  }
}

/** Two parameters with no semicolon between them. */
const nextParam = /[ \t]+[!#-'*+\-.0-9A-Z^-~]{1,64}[ \t]*=/iy;

function beginsParam(value: string, at: number): boolean {
  nextParam.lastIndex = at;
  return nextParam.test(value);
}

function endsHere(value: string, at: number): boolean {
  const next = skipBlanks(value, at);
  if (next >= value.length || value[next] === ';' || value[next] === '(') return true;
  return beginsParam(value, at);
}

/**
 * A value without quotes, up to the semicolon. Blanks belong to it, against the grammar and as they are meant, and a
 * parenthesis before the end does: `report (1).pdf`. At the end it is a comment.
 */
function readUnquoted(value: string, { at, comments }: Place): Read {
  const set = /[;(]/g;
  let lastOpen = -1;
  set.lastIndex = at;
  for (;;) {
    const found = set.exec(value)?.index;
    if (found === undefined || value[found] === ';') {
      const end = found ?? value.length;
      const isComment = lastOpen >= 0 && value.slice(comments.get(lastOpen), end).trim() === '';
      // Not trim(): it takes a byte A0 for a blank, which ends characters of UTF-8.
      return { text: trimBlanks(value.slice(at, isComment ? lastOpen : end)), end };
    }
    const close = comments.get(found);
    if (close !== undefined) lastOpen = found;
    set.lastIndex = close ?? found + 1;
  }
}

function skipBlanks(value: string, start: number): number {
  let at = start;
  while (at < value.length && ' \t\r\n'.includes(value[at]!)) at++;
  return at;
}

interface Segment {
  readonly index: number;
  readonly extended: boolean;
  readonly value: string;
}

/** Puts the pieces of RFC 2231 together, in whatever order they came, and decodes. */
function assemble(raw: readonly RawParam[]): Map<string, string> {
  const params = new Map<string, string>();
  const segments = new Map<string, Segment[]>();
  const whole = new Map<string, Segment>();
  for (const { name, value } of raw) {
    const [, base, number, star] = /^([^*]+)(?:\*(\d{1,4}))?(\*)?$/.exec(name) ?? [];
    if (base === undefined) continue;
    const segment = { index: Number(number ?? 0), extended: star !== undefined, value };
    if (number !== undefined) {
      const list = segments.get(base);
      if (list) list.push(segment);
      else segments.set(base, [segment]);
    } else if (segment.extended) {
      if (!whole.has(base)) whole.set(base, segment);
    } else if (!params.has(base)) params.set(base, base === 'boundary' ? value : decodeWords(value));
  }
  // RFC 6266 section 4.3: when both forms are sent, the extended one counts.
  for (const [base, list] of segments) params.set(base, decodeSegments(base, inOrder(list)));
  for (const [base, segment] of whole) params.set(base, decodeSegments(base, [segment]));
  return params;
}

/** Sorted by number, the first of each; a gap is closed, since half a name is worse than one with a hole. */
function inOrder(segments: readonly Segment[]): Segment[] {
  const sorted = segments.toSorted((a, b) => a.index - b.index);
  return sorted.filter((segment, i) => segment.index !== sorted[i - 1]?.index);
}

/** RFC 2231 section 4.1: the charset stands in the first piece, pieces with and without percent signs may mix. */
function decodeSegments(name: string, segments: readonly Segment[]): string {
  let charset: string | undefined;
  const bytes = segments
    .map((segment, i) => {
      if (!segment.extended) return segment.value;
      const [, label, rest] = (i === 0 ? /^([^']*)'[^']*'(.*)$/s.exec(segment.value) : null) ?? [];
      charset ??= label;
      return percentDecode(rest ?? segment.value);
    })
    .join('');
  if (name === 'boundary') return bytes;
  if (!segments.some((segment) => segment.extended)) return decodeWords(bytes);
  const buffer = Buffer.from(bytes, 'latin1');
  const text = charset === undefined || charset === '' ? decodeUnlabelled(buffer) : decodeLabelled(buffer, charset);
  // Some programs encode what was encoded already.
  return /^=\?[!->@-~]+\?[BQ]\?[!-~ ]*\?=$/i.test(text) ? decodeWords(text) : text;
}
