import { normaliseMailbox } from '../smtp/address.ts';
import { wireToText } from '../smtp/reply.ts';

/** Addresses of one message that are put in the index at most: people do not write more of them in From. */
const maxSenders = 10;

/** Characters of From that are looked at for addresses: room for several hundred. */
const maxFieldLength = 16_384;

/** The form of an address for searches: an operator may not know the case in which it was written. */
export const senderForm = (mailbox: string): string => wireToText(normaliseMailbox(mailbox)).toLowerCase();

/** The reverse-path and the addresses of From, both byte strings, in the form in which they are looked up. */
export function sendersOf(reversePath: string, from: string | undefined): readonly string[] {
  const mailboxes = [reversePath, ...(from === undefined ? [] : addressesIn(from))];
  return [...new Set(mailboxes.filter((mailbox) => mailbox !== '').map(senderForm))].slice(0, maxSenders);
}

/** Characters of a display name that stay before the addresses where From is too long to be kept. */
const maxNameLength = 100;

/** Longest address (RFC 5321 section 4.5.3.1), and room for a comment after it. */
const maxTailLength = 1000;

/**
 * From in at most `maxLength` characters. What is left out is never an address while the name is shown: the rest would
 * say that somebody else has sent it.
 */
export function boundedFrom(decoded: string, { maxLength, from }: { maxLength: number; from: string }): string {
  const text = decoded.replace(/\s+/g, ' ');
  if (text.length <= maxLength) return text;
  const bare = from.replace(/\s+/g, ' ');
  const [, last = ''] = /<([^<>]{1,400})>[^<>]*$/.exec(bare.slice(-maxTailLength)) ?? [];
  const addresses = [...new Set([...addressesIn(bare).slice(0, maxSenders), ...(last === '' ? [] : [last])])];
  const listed = addresses.map((address) => `<${wireToText(address)}>`).join(', ');
  const name = text.slice(0, maxNameLength).replace(/[<>"]/g, '');
  return `${name}… ${listed}`.slice(0, maxLength + maxTailLength);
}

/** The addresses of an unfolded address list (RFC 5322 section 3.4). Display names and comments are no addresses. */
function addressesIn(field: string): readonly string[] {
  const bare = field.slice(0, maxFieldLength).replace(quoted, blankUnlessLocalPart).replace(comment, blankIfClosed);
  const angled = [...bare.matchAll(/<([^<>]*)>/g)].map(([, inner = '']) => inner.trim());
  const addresses = angled.filter((inner) => inner.includes('@'));
  return addresses.length > 0 ? addresses : bare.split(/[\s,;:]+/).filter((word) => /^[^@]+@[^@]+$/.test(word));
}

/**
 * From there to the end of the field where the end is missing: each match takes all that it has looked at. Otherwise
 * every further quote would look at the rest again, and a field of two megabytes would hold the process for an hour.
 */
const quoted = /"(?:[^"\\]|\\[^]?)*("?)(@?)/g;
const comment = /\((?:[^()\\]|\\[^]?)*(\)?)/g;

const blankUnlessLocalPart = (text: string, ...[end, at]: readonly string[]): string =>
  end === '' || at !== '' ? text : ' ';
const blankIfClosed = (text: string, end: string): string => (end === '' ? text : ' ');
