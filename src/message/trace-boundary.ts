import { HeaderBlock } from './header-block.ts';

/**
 * What must be inserted between our trace fields and a message with a malformed beginning, so that the message is read
 * as it would be without those fields. Postfix inserts the same (smtpd, DATA), so this only matters for clients that
 * send to us directly.
 *
 * A first line that begins with a blank is text: written below our fields it would continue the last of them, which
 * breaks the stamp and hides the text. A line of an mbox file (`From a@b Mon Jan 6 …`) would end the header.
 */
export function traceBoundary(header: HeaderBlock): { readonly text: string; readonly header: HeaderBlock } {
  const { raw } = header;
  if (raw[0] === 0x20 || raw[0] === 0x09) return { text: '\r\n', header: noHeader };
  return { text: /^>*From (?![ \t]*:)/.test(raw.toString('latin1', 0, 64)) ? 'X-Mailbox-Line: ' : '', header };
}

const noHeader = HeaderBlock.parse(Buffer.alloc(0));
