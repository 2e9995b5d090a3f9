import { fileIndex, lastSegment, messageIndex, pageMark } from '../index-names.ts';
import { readLink } from '../links.ts';
import { messageKeyOf } from '../naming.ts';
import { type AdminContext, listed } from './context.ts';
import type { Found } from './find.ts';

/** Tokens of the other links of the message. */
export async function* siblingsOf(context: AdminContext, { token, link }: Found): AsyncGenerator<string> {
  for (const secret of context.secrets) {
    const prefix = messageIndex(messageKeyOf(secret, link.messageIdentity));
    for await (const other of tokensBelow(context, prefix)) {
      const found = other === token ? undefined : await readLink(context.blobs, other, context.signal);
      if (found?.link.reversePath === link.reversePath) yield other;
    }
  }
}

/** Tokens of other links to the file. */
export async function* sameFileOf(context: AdminContext, { token, link }: Found): AsyncGenerator<string> {
  for await (const other of tokensBelow(context, fileIndex(link.sha256))) {
    if (other !== token && (await readLink(context.blobs, other, context.signal))) yield other;
  }
}

async function* tokensBelow(context: AdminContext, prefix: string): AsyncGenerator<string> {
  for await (const { name } of listed(context, prefix)) {
    const last = lastSegment(name);
    if (!last.startsWith(pageMark)) yield last;
  }
}
