import { onOneLine } from './one-line.ts';

/**
 * An SMTP reply (RFC 5321 section 4.2) as it stands on the wire.
 *
 * All wire text in this project is a *byte string*: one UTF-16 unit per octet (`latin1`), so that what one
 * neighbour said reaches the other octet for octet, whatever its encoding. Decode with `wireToText` for people.
 */
export interface Reply {
  readonly code: number;
  /** The text of each line after `250-` or `250 `, the enhanced status code (RFC 2034) included. Never empty. */
  readonly lines: readonly string[];
}

/** The reply with its line ends, ready to be written as `latin1`. */
export function formatReply(reply: Reply): string {
  const last = reply.lines.length - 1;
  return reply.lines.map((line, i) => `${reply.code}${i < last ? '-' : ' '}${line}\r\n`).join('');
}

export const isPositive = (reply: Reply): boolean => reply.code >= 200 && reply.code < 300;
export const isTransient = (reply: Reply): boolean => reply.code >= 400 && reply.code < 500;
export const isPermanent = (reply: Reply): boolean => reply.code >= 500;

/** One line for logs and for people: control characters and invalid UTF-8 cannot get through. */
export function describeReply(reply: Reply): string {
  return wireToText(`${reply.code} ${reply.lines.join(' / ')}`);
}

/** Decodes a byte string as UTF-8 for people; control characters become spaces. */
export function wireToText(wire: string): string {
  if (/^[\u0020-\u007e]*$/.test(wire)) return wire;
  return onOneLine(Buffer.from(wire, 'latin1').toString('utf8'));
}

export const textToWire = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
