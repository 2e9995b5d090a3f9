import type { EncodedBody } from './encoded-body.ts';

/** RFC 2045 section 6.8. */
const lineLength = 76;

/**
 * Accepts blanks at the ends of lines and missing padding. Rejects anything else outside of the alphabet, and data
 * after padding: some readers stop there and some go on, so only some would see a notice after it. Also rejects words
 * with blanks between them and a number of characters that no encoder writes: this is text under a wrong label, and
 * some readers show it as it stands.
 */
export function openBase64(body: Buffer): EncodedBody | undefined {
  const text = body.toString('latin1');
  const pad = text.indexOf('=');
  const data = pad < 0 ? text : text.slice(0, pad);
  if (/[^A-Za-z0-9+/ \t\r\n]/.test(data) || (pad >= 0 && /[^= \t\r\n]/.test(text.slice(pad)))) return undefined;
  if (/[^ \t\r\n][ \t]+[^ \t\r\n]/.test(data) || data.replace(/[ \t\r\n]+/g, '').length % 4 === 1) return undefined;
  const bytes = Buffer.from(data, 'base64');
  return { bytes, room: 'any', isIdentity: false, insert: (at, insertion) => insert(body, { bytes, at, insertion }) };
}

interface Insertion {
  readonly bytes: Buffer;
  readonly at: number;
  readonly insertion: Buffer;
}

/** The encoding up to the last whole quantum before `at` stays as it is, the rest is encoded anew. */
function insert(body: Buffer, { bytes, at, insertion }: Insertion): Buffer {
  const quanta = Math.floor(at / 3);
  const kept = keptLength(body, quanta * 4);
  const rest = Buffer.concat([bytes.subarray(quanta * 3, at), insertion, bytes.subarray(at)]).toString('base64');
  const column = kept === 0 ? 0 : kept - 1 - body.lastIndexOf(0x0a, kept - 1);
  const room = Math.max(0, lineLength - column);
  const lines = [rest.slice(0, room)];
  for (let i = room; i < rest.length; i += lineLength) lines.push(rest.slice(i, i + lineLength));
  const end = body.at(-1) === 0x0a ? '\r\n' : '';
  return Buffer.concat([body.subarray(0, kept), Buffer.from(lines.join('\r\n') + end, 'latin1')]);
}

/** How long the body is up to its n-th character of data, with the line end that follows it directly. */
function keptLength(body: Buffer, count: number): number {
  let at = 0;
  for (let left = count; left > 0; at++) if (body[at]! > 0x20) left--;
  return at > 0 && body[at] === 0x0d && body[at + 1] === 0x0a ? at + 2 : at;
}
