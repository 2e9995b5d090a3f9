import type { EncodedBody } from './encoded-body.ts';
import { encodeQuotedPrintable } from '../../message/quoted-printable.ts';

const cr = 0x0d;
const lf = 0x0a;
const equals = 0x3d;

/**
 * Decodes as readers do (RFC 2045 section 6.7): an `=` without hex digits stands for itself, lower-case digits are
 * accepted, and blanks at the end of a line are ignored.
 */
export function openQuotedPrintable(body: Buffer): EncodedBody {
  const { bytes } = decode(body, Infinity);
  return { bytes, room: '8bit', isIdentity: false, insert: (at, insertion) => insert(body, { at, insertion }) };
}

interface Decoded {
  readonly bytes: Buffer;
  /** The encoded position after the last decoded byte and after all characters behind it that encode no byte. */
  readonly end: number;
  /**
   * What stands directly before `end`. `openBreak`: a soft line break without its line end; `padding`: ignored blanks.
   */
  readonly after: 'byte' | 'openBreak' | 'padding' | 'break';
}

/** Decodes the first `limit` bytes. */
function decode(body: Buffer, limit: number): Decoded {
  const out = Buffer.allocUnsafe(body.length);
  let length = 0;
  let at = 0;
  let after: Decoded['after'] = 'break';
  let inkUntil = 0;
  while (at < body.length) {
    const c = body[at]!;
    if (c === equals) {
      const octet = hexPair(body, at + 1);
      const blankEnd = octet === undefined ? skipBlanks(body, at + 1) : at;
      const lineEnd = octet === undefined ? lineEndLength(body, blankEnd) : 0;
      if (octet === undefined && (lineEnd > 0 || blankEnd === body.length)) {
        after = lineEnd > 0 ? 'break' : 'openBreak';
        at = blankEnd + lineEnd;
        continue;
      }
      if (length === limit) break;
      out[length++] = octet ?? c;
      at += octet === undefined ? 1 : 3;
    } else {
      if (isBlank(c) && at >= inkUntil) {
        inkUntil = skipBlanks(body, at);
        if (inkUntil === body.length || lineEndLength(body, inkUntil) > 0) {
          after = 'padding';
          at = inkUntil;
          continue;
        }
      }
      if (length === limit) break;
      out[length++] = c;
      at++;
    }
    after = body[at - 1] === lf ? 'break' : 'byte';
  }
  return { bytes: out.subarray(0, length), end: at, after };
}

/** The text before and after keeps its bytes and meaning; the insertion gets separate lines. */
function insert(body: Buffer, { at, insertion }: { readonly at: number; readonly insertion: Buffer }): Buffer {
  const { end, after } = decode(body, at);
  const opensWithBreak = insertion[0] === cr && insertion[1] === lf;
  let before = '';
  if (after === 'openBreak') before = '\r\n';
  // A blank or `=` with a meaning must not end up at the end of a line, and an ignored blank must stay there.
  else if (after === 'byte' && (!opensWithBreak || isBlank(body[end - 1]) || body[end - 1] === equals))
    before = '=\r\n';
  const rest = body.subarray(end);
  const continues = rest.length > 0 || body.at(-1) === lf;
  const joins = continues && insertion.at(-1) !== lf;
  return Buffer.concat([
    body.subarray(0, end),
    Buffer.from(before + encodeQuotedPrintable(insertion, { continues: joins }) + (joins ? '=\r\n' : ''), 'latin1'),
    rest,
  ]);
}

const isBlank = (c: number | undefined): boolean => c === 0x20 || c === 0x09;

function skipBlanks(body: Buffer, start: number): number {
  let at = start;
  while (isBlank(body[at])) at++;
  return at;
}

function lineEndLength(body: Buffer, at: number): number {
  if (body[at] === lf) return 1;
  return body[at] === cr && body[at + 1] === lf ? 2 : 0;
}

function hexPair(body: Buffer, at: number): number | undefined {
  const high = hexDigit(body[at]);
  const low = hexDigit(body[at + 1]);
  return high < 0 || low < 0 ? undefined : high * 16 + low;
}

function hexDigit(c = 0): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const letter = c | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
