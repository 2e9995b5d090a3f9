import { createHash } from 'node:crypto';
import type { HeaderBlock } from './header-block.ts';

/** RFC 5322 section 2.1.1 gives a line 998 characters. Whatever is longer would stand whole in every link. */
const maxIdentityLength = 998;

/** Message-ID, or a hash of the header block where there is none: the same for every try of the same message. */
export function messageIdentityOf(header: HeaderBlock): string {
  const id = header.first('message-id') ?? '';
  if (id !== '' && id.length <= maxIdentityLength) return id;
  return `sha256:${createHash('sha256')
    .update(id === '' ? header.raw : Buffer.from(id, 'latin1'))
    .digest('hex')}`;
}
