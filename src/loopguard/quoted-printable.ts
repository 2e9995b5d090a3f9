/** Quoted-printable (RFC 2045 section 6.7) of a byte string with CRLF line ends; no line above 76 characters. */
export function quotedPrintable(bytes: string): string {
  return bytes
    .split('\r\n')
    .map((line) => {
      const words = line
        .replace(/[^\t\x20-<>-~]/g, encoded)
        .replace(/[\t ]$/, encoded)
        .match(/=[0-9A-F]{2}|[^]/g);
      let out = '';
      let width = 0;
      for (const word of words ?? []) {
        if (width + word.length > 75) {
          out += '=\r\n';
          width = 0;
        }
        out += word;
        width += word.length;
      }
      return out;
    })
    .join('\r\n');
}

const encoded = (byte: string): string => `=${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
