import { HeaderBlock } from '../../../message/header-block.ts';
import { messageIdentityOf } from '../../../message/message-identity.ts';

/** The identity of the message of a manifest, from the header that it keeps; undefined when it cannot be read. */
export function messageIdOf(manifest: Buffer): string | undefined {
  try {
    const { original } = JSON.parse(manifest.toString('utf8')) as { readonly original?: { readonly header?: unknown } };
    const header = original?.header;
    if (typeof header !== 'string') return undefined;
    return messageIdentityOf(HeaderBlock.parse(Buffer.from(header, 'latin1')));
  } catch {
    return undefined;
  }
}
