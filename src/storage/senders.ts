import { normaliseMailbox } from '../smtp/address.ts';
import { wireToText } from '../smtp/reply.ts';

/** Addresses of one message that are put in the index at most: people do not write more of them in From. */
const maxSenders = 10;

/** The form of an address for searches: an operator may not know the case in which it was written. */
export const senderForm = (mailbox: string): string => wireToText(normaliseMailbox(mailbox)).toLowerCase();

/** The reverse-path and the addresses of From, both byte strings, in the form in which they are looked up. */
export function sendersOf(reversePath: string, from: string | undefined): readonly string[] {
  const mailboxes = [reversePath, ...(from === undefined ? [] : addressesIn(from))];
  return [...new Set(mailboxes.filter((mailbox) => mailbox !== '').map(senderForm))].slice(0, maxSenders);
}

/** The addresses of an unfolded address list (RFC 5322 section 3.4). Display names and comments are no addresses. */
function addressesIn(field: string): readonly string[] {
  const bare = field.replace(/"(?:[^"\\]|\\.)*"(?!@)/g, ' ').replace(/\((?:[^()\\]|\\.)*\)/g, ' ');
  const angled = [...bare.matchAll(/<\s*([^<>]*@[^<>]*?)\s*>/g)].map(([, address = '']) => address);
  return angled.length > 0 ? angled : bare.split(/[\s,;:]+/).filter((word) => /^[^@]+@[^@]+$/.test(word));
}
