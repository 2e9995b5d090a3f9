/** Rewrites a text of another charset as UTF-8 in an encoding that a 7-bit path carries. */
import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { decodeCharset, findCharset, isAscii } from '../../message/charset.ts';
import { HeaderBlock, unfold } from '../../message/header-block.ts';
import { parseContentType } from '../../message/parameters.ts';
import { encodeQuotedPrintable } from '../../message/quoted-printable.ts';

/** A longer text is not rewritten: the manifest would hold all of it. */
const maxUtf8Bytes = 256 * 1024;

export interface Utf8Body {
  readonly transferEncoding: 'base64' | 'quoted-printable';
  readonly body: Buffer;
}

/** `change` gets the text as UTF-8. undefined: the text is too long, or cannot be read for certain. */
export function toUtf8(
  { bytes, label }: { readonly bytes: Buffer; readonly label: string | undefined },
  change: (utf8: Buffer) => Buffer | undefined,
): Utf8Body | undefined {
  if (bytes.length > maxUtf8Bytes) return undefined;
  const text = decode(bytes, label);
  const changed = text === undefined ? undefined : change(Buffer.from(text));
  if (changed === undefined) return undefined;
  // Line ends of text in base64 and quoted-printable are CRLF (RFC 2045 sections 6.7 and 6.8).
  const canonical = Buffer.from(changed.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n'), 'latin1');
  const quoted = encodeQuotedPrintable(canonical);
  const base64 = canonical.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n') + '\r\n';
  return base64.length < quoted.length
    ? { transferEncoding: 'base64', body: Buffer.from(base64, 'latin1') }
    : { transferEncoding: 'quoted-printable', body: Buffer.from(quoted, 'latin1') };
}

function decode(bytes: Buffer, label: string | undefined): string | undefined {
  if (!bytes.some((byte) => byte >= 0x80 || byte === 0x1b)) return bytes.toString('latin1');
  const charset = label === undefined ? undefined : findCharset(label);
  // These are 8-bit bytes without a usable label. Only UTF-8 can be recognised; anything else would be a guess.
  if (charset === undefined || isAscii(charset) || /^utf-?8$/.test(charset.label))
    return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
  const text = decodeCharset(bytes, charset);
  if (text.includes('\ufffd')) return undefined;
  return charset.kind === 'iso-2022-jp' || iconv.encode(text, charset.label).equals(bytes) ? text : undefined;
}

/** The header of a part that is UTF-8 now. undefined: its Content-Type is ambiguous. */
export function relabel(header: HeaderBlock, transferEncoding: string): Buffer | undefined {
  const encoding = Buffer.from(`Content-Transfer-Encoding: ${transferEncoding}\r\n`);
  const raws: Buffer[] = [];
  let hasType = false;
  let hasEncoding = false;
  for (const field of header.fields) {
    if (field.key === 'content-type') {
      const changed = withUtf8(unfold(field));
      if (changed === undefined) return undefined;
      raws.push(Buffer.from(`Content-Type: ${changed}\r\n`, 'latin1'));
      hasType = true;
    } else if (field.key === 'content-transfer-encoding') {
      raws.push(encoding);
      hasEncoding = true;
    } else raws.push(field.raw);
  }
  if (!hasType) raws.push(Buffer.from('Content-Type: text/plain; charset=utf-8\r\n'));
  if (!hasEncoding) raws.push(encoding);
  return Buffer.concat(raws);
}

/** Longer ones are not written anew: the field has to fit into one line (RFC 5322 section 2.1.1). */
const maxTypeLength = 900;

function withUtf8(value: string): string | undefined {
  if (value.length > maxTypeLength) return undefined;
  const before = parseContentType(value);
  const others = [...before.params].filter(([name]) => name !== 'charset');
  const rest = value.replace(
    /;\s*charset\*?(?:0\*?)?\s*=\s*(?:"[^"\\]*"|[^\s;"()]+)(?:\s*\([^()\\]*\))?(?=\s*(?:;|$))/i,
    '',
  );
  const changed = `${rest.trimEnd().replace(/;$/, '').trimEnd()}; charset=utf-8`;
  const after = parseContentType(changed);
  const isSame = others.every(([name, text]) => after.params.get(name) === text);
  const isWhole = after.type === before.type && after.params.size === others.length + 1;
  return isSame && isWhole && after.params.get('charset') === 'utf-8' && changed.length < maxTypeLength
    ? changed
    : undefined;
}
