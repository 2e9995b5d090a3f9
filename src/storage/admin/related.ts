import { fileIndex, messageIndex } from '../index-names.ts';
import { readLink } from '../links.ts';
import { type AdminContext, unlessDamaged } from './context.ts';
import { linksBeforeIndex } from './before-index.ts';
import type { Found } from './find.ts';
import { tokensBelow } from './indexed-tokens.ts';
import { keysOf, sameMessage as isSameMessage } from './message-blobs.ts';

export interface Related {
  /** Tokens of the other links of the message. */
  readonly sameMessage: readonly string[];
  /** Tokens of other links to the file. */
  readonly sameFile: readonly string[];
}

/** Which other links belong to the message or to the file of a link. */
export async function relatedTo(context: AdminContext, { token, link }: Found): Promise<Related> {
  const [sameMessage, sameFile] = [new Set<string>(), new Set<string>()];
  const look = async (other: string): Promise<void> => {
    const found = await unlessDamaged(context, () => readLink(context.blobs, other, context));
    if (!found || found.link.erasing !== undefined || other === token) return;
    if (isSameMessage(found.link, link)) sameMessage.add(other);
    if (found.link.sha256 === link.sha256) sameFile.add(other);
  };
  const ofMessage = keysOf(context, link).map(({ message }) => messageIndex(message));
  for await (const other of tokensBelow(context, [...ofMessage, fileIndex(link.sha256)])) await look(other);
  for await (const other of linksBeforeIndex(context)) await look(other);
  return { sameMessage: [...sameMessage], sameFile: [...sameFile] };
}
