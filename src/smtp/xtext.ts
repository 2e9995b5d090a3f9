/** Encodes as xtext (RFC 3461 section 4): all but printable ASCII, and `+` and `=`, as `+` and two hex digits. */
export function encodeXtext(bytes: string): string {
  return bytes.replace(/[^\x21-\x2a\x2c-\x3c\x3e-\x7e]/g, (byte) => {
    return `+${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/**
 * Decodes xtext to a byte string. As Postfix does, it takes small hex digits and characters that should have been
 * encoded; undefined where a `+` has no two digits behind it.
 */
export function decodeXtext(text: string): string | undefined {
  if (/\+(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  return text.replace(/\+(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
