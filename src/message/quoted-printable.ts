/** RFC 2045 section 6.7 rule 5, the `=` of a soft line break included. */
const lineLength = 76;

/** Text with CRLF line ends in quoted-printable: a byte string. `continues`: a soft line break will follow it. */
export function encodeQuotedPrintable(text: Buffer, { continues = false } = {}): string {
  const lines = text.toString('latin1').split('\r\n');
  return lines
    .map((line, i) => encodeLine(line, continues && i === lines.length - 1 ? lineLength - 1 : lineLength))
    .join('\r\n');
}

function encodeLine(line: string, room: number): string {
  const encoded = line.replace(/[^\t\x20-\x3c\x3e-\x7e]|[\t ]$/g, escape);
  if (encoded.length <= room) return encoded;
  const lines: string[] = [];
  for (let at = 0; at < encoded.length;) {
    let end = Math.min(encoded.length, at + lineLength - 1);
    // Not between an `=` and its digits.
    if (end < encoded.length) {
      const equals = encoded.lastIndexOf('=', end);
      if (equals > end - 3) end = Math.min(end, equals);
    }
    lines.push(encoded.slice(at, end));
    at = end;
  }
  return lines.join('=\r\n');
}

const escape = (c: string): string => `=${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
