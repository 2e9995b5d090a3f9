import { decodeXtext } from '../smtp/xtext.ts';

/**
 * Decodes xtext (RFC 3461 section 4): a byte string of printable ASCII, or undefined for anything that could not stand
 * in a field of a delivery report; a decoded CR LF must not write fields of its own there.
 */
export function printableXtext(xtext: string): string | undefined {
  if (!/^[!-<>-~]*$/.test(xtext)) return undefined;
  const text = decodeXtext(xtext) ?? '';
  return /^[\x20-\x7e]+$/.test(text) && text.trim() === text ? text : undefined;
}

/**
 * An ORCPT parameter (RFC 3461 section 4.2) as the value of Original-Recipient (RFC 3464 section 2.3.1), a byte string
 * of `type;address`; undefined when it is broken. An address of type `utf-8` (RFC 6533 section 3) comes out as UTF-8.
 */
export function originalRecipient(orcpt: string): string | undefined {
  const semicolon = orcpt.indexOf(';');
  if (semicolon < 1) return undefined;
  const type = orcpt.slice(0, semicolon).toLowerCase();
  if (!/^[a-z0-9-]{1,40}$/.test(type)) return undefined;
  const encoded = orcpt.slice(semicolon + 1);
  const address = type === 'utf-8' ? decodeUnitext(encoded) : printableXtext(encoded);
  return address === undefined ? undefined : `${type};${address}`;
}

/** utf-8-addr-xtext and utf-8-addr-unitext (RFC 6533 section 3): `\x{HEX}` is a code point, UTF-8 may stand as it is. */
function decodeUnitext(encoded: string): string | undefined {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(encoded, 'latin1'));
  } catch {
    return undefined;
  }
  // A backslash that opens no code point should have been one itself.
  const decoded = text.replace(/\\(?:x\{([0-9A-F]{1,6})\})?/g, (_, hex?: string) => {
    const code = parseInt(hex ?? '', 16);
    return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : '\u0000';
  });
  if (decoded === '' || /[\p{Cc}\p{Cs}\u2028\u2029\s]/u.test(decoded)) return undefined;
  return Buffer.from(decoded, 'utf8').toString('latin1');
}
