import { contend } from '../../contention.ts';
import { messageIndex, pageEntry } from '../../index-names.ts';
import { readLink } from '../../links.ts';
import { pageBlob } from '../../naming.ts';
import { type FoundPage, readPage } from '../../pages.ts';
import { request } from '../context.ts';
import { deleteUnlessNeeded } from '../judged.ts';
import { keysOf, pagesOf, sameMessage } from '../message-blobs.ts';
import { dropEntry, type Erasure, isMessageNeeded } from './erase-message.ts';

/** Removes the erased links from the pages that name them, and deletes pages without other links. */
export async function erasePages(erasure: Erasure): Promise<void> {
  const { context, marked, inTime } = erasure;
  const tokens = new Set(marked.flatMap(({ link: { page } }) => (page === undefined ? [] : [page])));
  for await (const token of pagesOf(context, marked[0]!.link)) tokens.add(token);
  for (const token of tokens) {
    inTime();
    if (await withoutLinks(erasure, token)) continue;
    const judged = await deleteUnlessNeeded(context, pageBlob(token), { isNeeded: () => isMessageNeeded(erasure) });
    if (judged === 'kept') continue;
    for (const { message } of keysOf(context, marked[0]!.link)) {
      await dropEntry(erasure, messageIndex(message) + pageEntry(token));
    }
  }
}

/** Takes the erased links out of a page. @returns false when no other one is left on it */
function withoutLinks(erasure: Erasure, token: string): Promise<boolean> {
  const { context, marked } = erasure;
  return contend('a page', async () => {
    const found = await readPage(context.blobs, token, context);
    if (!found) return false;
    if (!sameMessage(found.page, marked[0]!.link)) return true;
    const left = await remaining(erasure, found);
    if (left.length === 0) return false;
    if (left.length === found.page.tokens.length || erasure.links === 'deleted') return true;
    const content = Buffer.from(JSON.stringify({ ...found.page, tokens: left }));
    const change = { content, metadata: found.metadata, etag: found.etag };
    return (await context.blobs.replace(pageBlob(token), { ...request(context, 'a page'), ...change })) || undefined;
  });
}

async function remaining({ context, tokens }: Erasure, { page }: FoundPage): Promise<readonly string[]> {
  const left: string[] = [];
  for (const token of page.tokens) {
    if (!tokens.has(token) && (await readLink(context.blobs, token, context))) left.push(token);
  }
  return left;
}
