import { isUtf8 } from 'node:buffer';
import { layOut, type Layout } from './carrier-charset.ts';
import { openBody, type EncodedBody } from './encoded-body.ts';
import type { NoticeTexts } from '../../links/interface.ts';
import { canExpress, expressHtml, expressText } from './express.ts';
import { findHtmlPlace } from './html-place.ts';
import type { Position } from './newest-text.ts';
import { SearchBudget } from './search-budget.ts';
import { findTextPlace, flow } from './text-place.ts';
import { toUtf8, type Utf8Body } from './utf8-body.ts';

/** A body part that the reader sees. */
export interface Carrier {
  readonly type: 'text/plain' | 'text/html';
  /** Parameters of its Content-Type, as `parseContentType` gives them. */
  readonly params: ReadonlyMap<string, string>;
  /** Content-Transfer-Encoding, '' where there is none. */
  readonly transferEncoding: string;
  /** Encoded, without the CRLF that belongs to the following delimiter. */
  readonly body: Buffer;
}

/** RFC 5322 section 2.1.1, without the CRLF. */
const maxLineBytes = 998;

export interface InsertOptions {
  readonly position?: Position;
  /** Of the message that the body is a part of. */
  readonly budget?: SearchBudget;
}

interface Insertion {
  readonly at: number;
  readonly text: string;
}

/**
 * The body, encoded as before, with the notice where the reader sees it. The bytes before the notice do not change (in
 * base64 up to the last quantum); the text after it keeps at least its meaning. undefined: this body cannot carry the
 * notice, because its charset or encoding is unknown or broken, because nothing in it would be seen, or because its
 * charset lacks characters of the names.
 */
export function insertNotice(
  carrier: Carrier,
  notice: NoticeTexts,
  { position = 'newest', budget = new SearchBudget() }: InsertOptions = {},
): Buffer | undefined {
  const opened = open(carrier);
  if (opened === undefined) return undefined;
  const { body, layout, has } = opened;
  if (carrier.type === 'text/plain' && !canSay(notice, has)) return undefined;
  const insertion =
    carrier.type === 'text/html'
      ? html(layout, notice, { has, position, budget })
      : text(layout, notice, { carrier, has, position, budget });
  if (insertion === undefined) return undefined;
  const bytes = layout.encode(withLineEndsOf(opened, insertion.text), insertion.at);
  if (body.isIdentity && !fitsLines(bytes)) return undefined;
  return body.insert(insertion.at * layout.unit, bytes);
}

/**
 * Rewrites a text as UTF-8 with the notice in it, for a charset or transfer encoding that lacks characters of the
 * names. The result is the same at every try. undefined: the text cannot be read for certain.
 */
export function insertAsUtf8(carrier: Carrier, notice: NoticeTexts, options: InsertOptions = {}): Utf8Body | undefined {
  const opened = open(carrier);
  if (opened === undefined || carrier.type !== 'text/plain' || canSay(notice, opened.has)) return undefined;
  return toUtf8({ bytes: opened.body.bytes, label: carrier.params.get('charset') }, (bytes) => {
    const params = new Map([...carrier.params, ['charset', 'utf-8']]);
    return insertNotice({ ...carrier, params, transferEncoding: 'binary', body: bytes }, notice, options);
  });
}

interface Opened {
  readonly body: EncodedBody;
  readonly layout: Layout;
  readonly has: (character: string) => boolean;
}

function open(carrier: Carrier): Opened | undefined {
  const body = openBody(carrier.transferEncoding, carrier.body);
  const layout = body && layOut(body.bytes, carrier.params.get('charset'));
  if (body === undefined || layout === undefined) return undefined;
  if (isMislabelled(carrier, body.bytes)) return undefined;
  // UTF-16 has bytes that look like line ends and NUL, which only base64 carries safely.
  if (layout.unit === 2 && body.room !== 'any') return undefined;
  const sevenBit = body.room === '7bit';
  const has = (character: string): boolean =>
    layout.has(character) && (!sevenBit || layout.encode(character, 0).every((byte) => byte < 0x80));
  return { body, layout, has };
}

/** Plain text that is labelled base64 decodes to noise. Some readers notice that and show the text as it stands. */
const isMislabelled = ({ transferEncoding, params }: Carrier, bytes: Buffer): boolean =>
  transferEncoding.trim().toLowerCase() === 'base64' &&
  /^utf-?8$/i.test(params.get('charset')?.trim() ?? '') &&
  !isUtf8(bytes);

/** Whether the names can be written exactly, and the other words at least in part. */
const canSay = ({ text, names }: NoticeTexts, has: (character: string) => boolean): boolean =>
  Array.from(names.normalize('NFC')).every((character) => character < '\u0080' || has(character)) &&
  (names === '' || canExpress(text, has));

interface Options extends Required<InsertOptions> {
  readonly has: (character: string) => boolean;
}

function text(
  layout: Layout,
  notice: NoticeTexts,
  { carrier, has, position, budget }: Options & { readonly carrier: Carrier },
): Insertion {
  const flowed = carrier.params.get('format')?.trim().toLowerCase() === 'flowed';
  const place = findTextPlace(layout.text, { flowed, position, read: layout.read, budget });
  const lines = expressText(notice.text.trimEnd(), has).split('\n');
  const written = (flowed ? flow(lines) : lines).join('\r\n');
  const last = place.at === layout.text.length ? lastLineEnd(layout.text) : '\r\n';
  return { at: place.at, text: place.before + written + last + place.after };
}

function html(layout: Layout, notice: NoticeTexts, { has, position, budget }: Options): Insertion | undefined {
  const at = findHtmlPlace(layout.text, { position, read: layout.read, budget });
  if (at === undefined) return undefined;
  const before = at === 0 || layout.text[at - 1] === '\n' ? '' : '\r\n';
  const written = expressHtml(notice.html.trimEnd(), has).replaceAll('\n', '\r\n');
  return { at, text: before + written + (at === layout.text.length ? lastLineEnd(layout.text) : '\r\n') };
}

/**
 * Base64 may hold a text whose lines end in LF alone: with CRLF in the notice, programs that save or compare the text
 * would see both. In the other encodings a line end is one of the message: CRLF.
 */
const withLineEndsOf = ({ body, layout }: Opened, written: string): string =>
  body.room === 'any' && layout.text.includes('\n') && !layout.text.includes('\r\n')
    ? written.replaceAll('\r\n', '\n')
    : written;

/** A body that ended with a line end still does: it may be the end of the message. */
const lastLineEnd = (text: string): string => (text === '' || text.endsWith('\n') ? '\r\n' : '');

const fitsLines = (bytes: Buffer): boolean =>
  bytes
    .toString('latin1')
    .split('\r\n')
    .every((line) => line.length <= maxLineBytes);
