import { domainToASCII } from 'node:url';

/**
 * A mailbox in the one form in which two of them are compared; a byte string again, and never put on the wire.
 *
 * The domain loses its case, its trailing dot and its U-labels (RFC 5890), an address literal its spelling. The local
 * part loses a needless quotation (RFC 5321 section 4.1.2: "should be treated as equivalent") and is normalised to NFC
 * (RFC 6531 section 3.1). Its case stays: only the final system may fold it (RFC 5321 section 2.4), and to take two
 * people for one refuses innocent mail, while to take one for two costs a looping message one more pass. `postmaster`
 * alone is the same in any case (RFC 5321 section 4.5.1).
 *
 * @param mailbox as between the angle brackets of a path, source route or not; '' is the null reverse-path. Hostile
 * input has a form too: nothing throws.
 */
export function normaliseMailbox(mailbox: string): string {
  const { local, domain } = split(mailbox);
  const name = normaliseLocal(local);
  return domain === undefined ? name : `${name}@${normaliseDomain(domain)}`;
}

/** The domain of a mailbox in its compared form (A-labels, lower case), for log lines; '' when there is none. */
export function domainOf(mailbox: string): string {
  const { domain } = split(mailbox);
  return domain === undefined ? '' : normaliseDomain(domain);
}

function split(mailbox: string): { local: string; domain: string | undefined } {
  const path = withoutRoute(mailbox);
  const at = path.lastIndexOf('@');
  // An at sign inside the closing quotes of a local part without a domain is no separator.
  if (at < 0 || (path.startsWith('"') && at < endOfQuoted(path))) return { local: path, domain: undefined };
  return { local: path.slice(0, at), domain: path.slice(at + 1) };
}

/** RFC 5321 section 4.1.1.3: a source route is accepted and ignored. */
function withoutRoute(path: string): string {
  if (!path.startsWith('@')) return path;
  const colon = path.indexOf(':');
  return colon < 0 ? path : path.slice(colon + 1);
}

function endOfQuoted(text: string): number {
  let i = 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
}

function normaliseLocal(local: string): string {
  const plain =
    local.length > 1 && local.startsWith('"') && endOfQuoted(local) === local.length - 1
      ? local.slice(1, -1).replace(/\\([^])/g, '$1')
      : local;
  if (plain.length === 10 && plain.toLowerCase() === 'postmaster') return 'postmaster';
  return isAscii(plain) ? plain : mapUtf8(plain, (text) => text.normalize('NFC'));
}

function normaliseDomain(domain: string): string {
  const bare = domain.endsWith('.') ? domain.slice(0, -1) : domain;
  if (bare.startsWith('[')) return normaliseLiteral(bare.toLowerCase());
  // An ASCII domain is not given to IDNA: underscores are in use, and the URL parser reads `127.1` as an address.
  if (isAscii(bare)) return bare.toLowerCase();
  return mapUtf8(bare, (text) => {
    const ascii = domainToASCII(text);
    return ascii === '' ? text.normalize('NFC').toLowerCase() : ascii.replace(/\.$/, '');
  });
}

/** RFC 5321 section 4.1.3; the many spellings of one IPv6 address become one (RFC 5952). */
function normaliseLiteral(literal: string): string {
  if (!literal.startsWith('[ipv6:') || !literal.endsWith(']')) return literal;
  const canonical = domainToASCII(`[${literal.slice(6, -1)}]`);
  return canonical === '' ? literal : `[ipv6:${canonical.slice(1)}`;
}

const isAscii = (text: string): boolean => !/[^\u0000-\u007f]/.test(text);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Applies `change` to the text that a byte string encodes; bytes that are no UTF-8 stay as they are. */
function mapUtf8(bytes: string, change: (text: string) => string): string {
  let text: string;
  try {
    text = utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return bytes;
  }
  return Buffer.from(change(text), 'utf8').toString('latin1');
}
