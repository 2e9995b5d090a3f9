import { fileIndex } from '../index-names.ts';
import { readLink } from '../links.ts';
import type { AdminContext } from './context.ts';
import { type Found, tokensBelow } from './find.ts';
import { linksOf } from './message-blobs.ts';

/** Tokens of the other links of the message. */
export async function* siblingsOf(context: AdminContext, { token, link }: Found): AsyncGenerator<string> {
  const given = new Set([token]);
  for await (const other of linksOf(context, link)) {
    if (given.has(other.token) || other.link.erasing !== undefined) continue;
    given.add(other.token);
    yield other.token;
  }
}

/** Tokens of other links to the file. */
export async function* sameFileOf(context: AdminContext, { token, link }: Found): AsyncGenerator<string> {
  for await (const other of tokensBelow(context, [fileIndex(link.sha256)])) {
    if (other === token) continue;
    const found = await readLink(context.blobs, other, context.signal);
    if (found && found.link.erasing === undefined) yield other;
  }
}
