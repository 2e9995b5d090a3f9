import type { NoticeTexts } from '../../links/interface.ts';
import { encodeQuotedPrintable } from '../../message/quoted-printable.ts';

export interface NoticePart {
  readonly header: Buffer;
  readonly body: Buffer;
}

/**
 * The notice as a separate part. `header` is its Content-* fields, each with its CRLF, without the empty line; `body`
 * ends in CRLF. It has a name, because programs that do not show it otherwise make one up: Outlook `ATT00001`.
 */
export function noticePart(notice: NoticeTexts, name: string): NoticePart {
  return write(notice.html, [
    'Content-Type: text/html; charset=utf-8',
    `Content-Disposition: inline; filename="${name}.html"`,
  ]);
}

/** The notice as the body of a message: plain text, which every program shows. */
export const noticeBody = (notice: NoticeTexts): NoticePart =>
  write(notice.text, ['Content-Type: text/plain; charset=utf-8', 'Content-Disposition: inline']);

function write(words: string, [type, disposition]: readonly [type: string, disposition: string]): NoticePart {
  const text = Buffer.from(`${words.trimEnd()}\n`.replaceAll('\n', '\r\n'));
  const plain = text.every((byte) => byte < 0x80) && !/[^\r\n]{999}/.test(text.toString('latin1'));
  const encoding = `Content-Transfer-Encoding: ${plain ? '7bit' : 'quoted-printable'}`;
  return {
    header: Buffer.from([type, encoding, disposition, ''].join('\r\n')),
    body: plain ? text : Buffer.from(encodeQuotedPrintable(text), 'latin1'),
  };
}
