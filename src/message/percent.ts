/** Decodes `%` and two hex digits to a byte string (RFC 3986 section 2.1); another `%` is itself. */
export function percentDecode(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
