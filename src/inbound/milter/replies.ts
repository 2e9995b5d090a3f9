/** What a filter says, as packets. Text is a byte string. */
import type { HeaderChange, Reply } from './interface.ts';
import type { Negotiated } from './negotiation.ts';
import { replyByte } from './protocol.ts';

function packet(letter: string, ...data: readonly (Buffer | string)[]): Buffer {
  const parts = data.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(1 + parts.reduce((sum, part) => sum + part.length, 0));
  return Buffer.concat([length, Buffer.from(letter, 'latin1'), ...parts]);
}

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

export const negotiated = ({ version, actions, steps }: Negotiated): Buffer =>
  packet(replyByte.negotiate, number(version), number(actions), number(steps));

export const continuePacket = packet(replyByte.continue);

export const progressPacket = packet(replyByte.progress);

/** `bytes`: at most `bodyChunkBytes`. The first one of a message replaces all of its body, the others append. */
export const bodyPacket = (bytes: Buffer): Buffer => packet(replyByte.replaceBody, bytes);

/**
 * A refusal in the words of an SMTP reply. Its lines are separated by CRLF; a percent sign is doubled, since Sendmail
 * takes the text for a format, and Postfix takes the doubling back.
 */
export function replyPacket({ code, lines }: Reply): Buffer {
  const last = lines.length - 1;
  const text = lines.map((line, i) => `${code}${i < last ? '-' : ' '}${line}`).join('\r\n');
  return packet(replyByte.replyCode, text.replaceAll('%', '%%').replaceAll('\0', ''), '\0');
}

/** `leadingSpace`: the server takes the value as it is; otherwise it puts a space of its own in front. */
export function headerPacket(change: HeaderChange, leadingSpace: boolean): Buffer {
  const letter = change.kind === 'insert' ? replyByte.insertHeader : replyByte.changeHeader;
  const value = leadingSpace ? change.value : change.value.replace(/^ /, '');
  return packet(letter, number(change.index), change.name, '\0', value, '\0');
}
