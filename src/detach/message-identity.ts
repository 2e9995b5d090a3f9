import { createHash } from 'node:crypto';
import type { HeaderBlock } from '../message/header-block.ts';

/** RFC 5322 section 2.1.1 gives a line 998 characters. Whatever is longer would stand whole in every link. */
const maxIdentityLength = 998;

/** The Message-ID, or a hash in its place. The same for every try of the same message. */
export function identityOf(header: HeaderBlock): string {
  const id = header.first('message-id') ?? '';
  if (id !== '' && id.length <= maxIdentityLength) return id;
  const hashed = id === '' ? header.raw : Buffer.from(id, 'latin1');
  return `sha256:${createHash('sha256').update(hashed).digest('hex')}`;
}
