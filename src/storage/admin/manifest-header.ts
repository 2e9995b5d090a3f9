/** What the header says that a manifest keeps. */
import { HeaderBlock } from '../../message/header-block.ts';
import { messageIdentityOf } from '../../message/message-identity.ts';
import { senderForm } from '../senders.ts';

/** The identity of the message of a manifest; undefined when it cannot be read. */
export function messageIdOf(manifest: Buffer): string | undefined {
  const header = headerOf(manifest);
  return header && messageIdentityOf(header);
}

/** Fields that name the sender. All others that have an address may name a recipient, trace fields too. */
const ofSender = new Set(['from', 'sender', 'reply-to', 'return-path', 'resent-from', 'resent-sender', 'message-id']);

/** Whether a field names this address, other than as the sender. @param address a byte string */
export function namesRecipientInHeader(manifest: Buffer, address: string): boolean {
  const wanted = senderForm(address);
  for (const { key, raw } of headerOf(manifest) ?? []) {
    const text = raw.toString('utf8').toLowerCase();
    if (!ofSender.has(key) && hasAddress(key === 'received' ? recipientOf(text) : text, wanted)) return true;
  }
  return false;
}

/** The clause of a trace field that names a recipient (RFC 5321 section 4.4); others may name the sender. */
const recipientOf = (received: string): string => /\sfor\s+(<[^<>]*>)/.exec(received)?.[1] ?? '';

/** Characters that may stand before or behind an address in a field belong to no longer address. */
function hasAddress(field: string, address: string): boolean {
  const text = field.replace(/\s*@\s*/g, '@');
  for (let at = text.indexOf(address); at >= 0; at = text.indexOf(address, at + 1)) {
    const before = text.slice(0, at).at(-1) ?? ' ';
    const after = text.slice(at + address.length, at + address.length + 2);
    if (!/[\p{L}\p{N}_.!#$%&'*+/=?^`{|}~-]/u.test(before) && !/^(?:[\p{L}\p{N}-]|\.[\p{L}\p{N}])/u.test(after))
      return true;
  }
  return false;
}

function headerOf(manifest: Buffer): HeaderBlock | undefined {
  try {
    const { original } = JSON.parse(manifest.toString('utf8')) as { readonly original?: { readonly header?: unknown } };
    const header = original?.header;
    return typeof header === 'string' ? HeaderBlock.parse(Buffer.from(header, 'latin1')) : undefined;
  } catch {
    return undefined;
  }
}
