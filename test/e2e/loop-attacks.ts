/** Messages made to hold the event loop. */

/** Of CPU, in one turn. An idle core needs at most 50 ms; with other tests beside it, it takes longer. */
export const maxHoldMs = 80;

const headerBytes = 1_900_000;
/** The largest header with which files are detached. */
const readHeaderBytes = 500_000;
const textBytes = 250_000;

export interface Attack {
  readonly from?: string;
  readonly fields?: string;
  readonly text?: string;
  readonly parts?: string;
  /** Of the file that is detached. */
  readonly disposition?: string;
}

const fill = (unit: string, bytes: number): string => unit.repeat(Math.floor(bytes / unit.length));
const manyParts = (field: string): string => `--b\r\nContent-Type: image/png\r\n${field}\r\n\r\nx\r\n`.repeat(200);
const html = (body: string): string => `Content-Type: text/html\r\n\r\n${body}`;
const plain = (body: string): string => `Content-Type: text/plain\r\n\r\n${body}`;
const typed = (value: string): string => `--b\r\nContent-Type: ${value}\r\n\r\nx\r\n`.repeat(200);

export const attacks: Readonly<Record<string, Attack>> = {
  'From of quotes that do not end': { from: fill('"\\', headerBytes) },
  'From of comments that do not end': { from: fill('(\\', headerBytes) },
  'From of angle brackets': { from: fill('<@', headerBytes) },
  'From of 70,000 addresses': { from: `${fill('"a b" <a@example.com>,\r\n ', headerBytes)}x@y` },
  'From of encoded words': { from: fill('=?utf-8?Q?=E2=9C=93?=\r\n ', headerBytes) },
  'a Message-ID of folded lines': { fields: `Message-ID: ${fill('\r\n ', headerBytes)}<x@y>\r\n` },
  'a Date of blanks': { fields: `Date: Mon,${' '.repeat(headerBytes)}6 Jan 2025 10:00:00 +0000\r\n` },
  'stamps of others': { fields: fill(`X-Detach-Guard: v=1; c=test; k=k1; t=1; f=mdf; s=aaaaaaaaaaa\r\n`, headerBytes) },
  'a stamp of folded lines': { fields: `X-Detach-Guard: v=1;${fill('\r\n ', headerBytes)}c=test\r\n` },
  'fields of Resent-To': { fields: fill('Resent-To: a@x\r\n', headerBytes) },
  'half a megabyte of quotes': { from: fill('"\\', readHeaderBytes) },
  'half a megabyte of control characters': { fields: `X: ${fill('\x01', readHeaderBytes)}\r\n` },
  'a Message-ID of half a megabyte': { fields: `Message-ID: ${fill('\r\n ', readHeaderBytes)}<x@y>\r\n` },
  '8000 fields of Resent-From': { fields: 'Resent-From: a@example.com\r\n'.repeat(8000) },
  'headers of control characters above 60 files': {
    parts:
      `--b\r\nContent-Type: application/zip\r\nX: ${'\x01'.repeat(16_000)}\r\n\r\n${'x'.repeat(262_144)}\r\n`.repeat(
        60,
      ),
  },
  'blanks in a parameter': { parts: typed(`text/plain; a=x${' '.repeat(15_000)}y`) },
  'blanks in a boundary': { parts: typed(`multipart/mixed; boundary="x${' '.repeat(15_000)}y"`) },
  'quotes in the type of a root': { parts: typed(`multipart/related; boundary=c; type=${'\\"'.repeat(450)}x`) },
  'blanks in a location': { parts: manyParts(`Content-Location: x${' '.repeat(15_000)}y`) },
  'quotes in a location': { parts: manyParts(`Content-Location: x${'"'.repeat(15_000)}y`) },
  'blanks in the type of a text that becomes UTF-8': {
    text: `Content-Type: text/plain; charset=us-ascii; a="x${' '.repeat(14_000)}y"\r\n\r\nhello`,
    disposition: "attachment; filename*=utf-8''%E2%9C%93.zip",
  },
  'a file name of broken characters': { disposition: `attachment; filename*=utf-8''${'%EF%BF%BD'.repeat(1500)}x` },
  'a style of zeros': { text: html(`<div style="opacity:${'0'.repeat(textBytes)}x">hello</div>`) },
  'a style of borders': { text: html(`<div style="${fill('border-top:', textBytes)}">hello</div>`) },
  '20,000 quotations in one another': { text: html(fill('<blockquote>', textBytes)) },
  'tags that do not end': { text: html(fill('<a ', textBytes)) },
  'lines of underscores': { text: plain(fill(`${'_'.repeat(290)}\r\n`, textBytes)) },
  'lines of signs and digits': { text: plain(fill(`${'@'.repeat(145)}${'1'.repeat(145)}\r\n`, textBytes)) },
  'empty lines': { text: plain(`x${fill('\r\n', textBytes)}`) },
  'quoted lines': { text: plain(fill('>\r\nx\r\n', textBytes)) },
  'shifts of ISO-2022-JP': {
    text: `Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n${fill('\x1b$B$B\x1b(B', textBytes)}`,
  },
  'references in HTML': { text: html(Array.from({ length: 100_000 }, (_, i) => `cid:${i.toString(36)}%41 `).join('')) },
};

export function buildAttack({
  from: author = 'a@example.com',
  fields = '',
  text = plain('hello'),
  parts = '',
  disposition,
}: Attack): Buffer {
  const file = fill(`${'QUJD'.repeat(19)}\r\n`, 300_000);
  return Buffer.from(
    `${fields}From: ${author}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n` +
      `--b\r\n${text}\r\n${parts}--b\r\nContent-Type: application/zip\r\n` +
      `Content-Disposition: ${disposition ?? 'attachment; filename=a.zip'}\r\n` +
      `Content-Transfer-Encoding: base64\r\n\r\n${file}\r\n--b--\r\n`,
    'latin1',
  );
}
