import { fileIndex, messageIndex } from '../index-names.ts';
import { readLink } from '../links.ts';
import { type AdminContext, unlessDamaged } from './context.ts';
import { type Found, tokensBelow } from './find.ts';
import { keysOf, sameMessage } from './message-blobs.ts';

/** Tokens of the other links of the message. */
export async function* siblingsOf(context: AdminContext, { token, link }: Found): AsyncGenerator<string> {
  const given = new Set([token]);
  const prefixes = keysOf(context, link).map(({ message }) => messageIndex(message));
  for await (const other of tokensBelow(context, prefixes)) {
    if (given.has(other)) continue;
    given.add(other);
    const found = await unlessDamaged(context, () => readLink(context.blobs, other, context.signal));
    if (found && found.link.erasing === undefined && sameMessage(found.link, link)) yield other;
  }
}

/** Tokens of other links to the file. */
export async function* sameFileOf(context: AdminContext, { token, link }: Found): AsyncGenerator<string> {
  for await (const other of tokensBelow(context, [fileIndex(link.sha256)])) {
    if (other === token) continue;
    const found = await unlessDamaged(context, () => readLink(context.blobs, other, context.signal));
    if (found && found.link.erasing === undefined) yield other;
  }
}
