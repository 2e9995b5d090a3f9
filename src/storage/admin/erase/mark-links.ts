/** Marks the links of a message for `erase`: from then on everything else treats them as missing. */
import { contend } from '../../contention.ts';
import { type FoundLink, readLink, writeLink } from '../../links.ts';
import type { AdminContext } from '../context.ts';
import type { TokenedLink } from '../message-blobs.ts';

export interface MarkedLink extends TokenedLink {
  /**
   * Another `erase`, which may have crashed, had marked the link before and may have deleted parts of what belongs to
   * it.
   */
  readonly begun: boolean;
}

/** @returns 'held' when one of them is held: then none is marked */
export async function markLinks(
  context: AdminContext,
  tokens: readonly string[],
): Promise<readonly MarkedLink[] | 'held'> {
  const marked: MarkedLink[] = [];
  for (const token of tokens) {
    const link = await markLink(context, token);
    if (link === 'held') {
      for (const each of marked) await unmark(context, each);
      return 'held';
    }
    if (link) marked.push(link);
  }
  return marked;
}

/** Undefined: there is no such link any more. */
async function markLink(context: AdminContext, token: string): Promise<MarkedLink | 'held' | undefined> {
  const { blobs, signal, now } = context;
  const result = await contend('erasing a link', async () => {
    const found = await readLink(blobs, token, signal);
    if (!found) return 'absent';
    if (found.link.held !== undefined) return 'held';
    const link = { ...found.link, erasing: new Date(now()).toISOString() };
    if (!(await writeLink(blobs, { token, link, etag: found.etag, signal }))) return undefined;
    return marking(found, await readLink(blobs, token, signal), token);
  });
  return result === 'absent' ? undefined : result;
}

/** The link before and after the mark; undefined when another process has marked it since. */
function marking(before: FoundLink, after: FoundLink | undefined, token: string): MarkedLink | undefined {
  if (after?.link.erasing === undefined) return undefined;
  return { ...after, token, begun: before.link.erasing !== undefined };
}

async function unmark({ blobs, signal }: AdminContext, { token, link, etag, begun }: MarkedLink): Promise<void> {
  if (begun) return;
  const { erasing, ...plain } = link;
  if (erasing !== undefined) await writeLink(blobs, { token, link: plain, etag, signal });
}
