import type { NoticeTexts } from './insert.ts';
import { encodeQuotedPrintable } from '../../message/quoted-printable.ts';

/**
 * The notice as a part of its own. `header` is its Content-* fields, each with its CRLF, without the empty line;
 * `body` ends in CRLF.
 */
export function noticePart(notice: NoticeTexts): { readonly header: Buffer; readonly body: Buffer } {
  const text = Buffer.from(`${notice.text.trimEnd()}\n`.replaceAll('\n', '\r\n'));
  const plain = text.every((byte) => byte < 0x80) && !/[^\r\n]{999}/.test(text.toString('latin1'));
  const header = [
    'Content-Type: text/plain; charset=utf-8',
    `Content-Transfer-Encoding: ${plain ? '7bit' : 'quoted-printable'}`,
    'Content-Disposition: inline',
    '',
  ].join('\r\n');
  return { header: Buffer.from(header), body: plain ? text : Buffer.from(encodeQuotedPrintable(text), 'latin1') };
}
