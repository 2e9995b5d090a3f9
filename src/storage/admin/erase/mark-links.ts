/** Marks the links of a message for `erase`: from then on everything else treats them as missing. */
import { contend } from '../../contention.ts';
import type { Link } from '../../interface.ts';
import { type FoundLink, readLink, writeLink } from '../../links.ts';
import type { AdminContext } from '../context.ts';
import { erasedLink } from './journal.ts';

export interface MarkedLink {
  readonly token: string;
  readonly link: Link;
  /** Undefined: an earlier `erase` has deleted the link, but perhaps not all records of its message. */
  readonly etag: string | undefined;
  /**
   * Another `erase`, which may have crashed, had marked the link before and may have deleted parts of what belongs to
   * it.
   */
  readonly begun: boolean;
}

export interface Marking {
  /** Only links that an `erase` has begun to delete: those of a message that came again since stay. */
  readonly onlyBegun?: boolean;
}

/** @returns 'held' when one of them is held: then none is marked */
export async function markLinks(
  context: AdminContext,
  tokens: readonly string[],
  marking: Marking = {},
): Promise<readonly MarkedLink[] | 'held'> {
  const marked: MarkedLink[] = [];
  for (const token of tokens) {
    const link = await markLink(context, token, marking);
    if (link === 'held') {
      await unmarkLinks(context, marked);
      return 'held';
    }
    if (link) marked.push(link);
  }
  return marked;
}

/** Undefined: there is nothing to be erased any more. */
async function markLink(
  context: AdminContext,
  token: string,
  { onlyBegun = false }: Marking,
): Promise<MarkedLink | 'held' | undefined> {
  const { blobs, signal, now } = context;
  const result = await contend('erasing a link', async () => {
    const found = await readLink(blobs, token, { signal });
    if (!found) return (await erasedBefore(context, token)) ?? 'nothing';
    if (found.link.held !== undefined) return 'held';
    if (onlyBegun && found.link.erasing === undefined) return 'nothing';
    const link = { ...found.link, erasing: new Date(now()).toISOString() };
    if (!(await writeLink(blobs, { token, link, etag: found.etag, signal }))) return undefined;
    return markedLink(token, { before: found, after: await readLink(blobs, token, { signal }) });
  });
  return result === 'nothing' ? undefined : result;
}

async function erasedBefore(context: AdminContext, token: string): Promise<MarkedLink | undefined> {
  const link = await erasedLink(context, token);
  return link && { token, link, etag: undefined, begun: true };
}

/** The link before and after the mark; undefined when another process has marked it since. */
function markedLink(
  token: string,
  { before, after }: { readonly before: FoundLink; readonly after: FoundLink | undefined },
): MarkedLink | undefined {
  if (after?.link.erasing === undefined) return undefined;
  return { ...after, token, begun: before.link.erasing !== undefined };
}

/** Takes away the marks that `markLinks` has set. */
export async function unmarkLinks(context: AdminContext, marked: readonly MarkedLink[]): Promise<void> {
  for (const each of marked) await unmark(context, each);
}

async function unmark({ blobs, signal }: AdminContext, { token, link, etag, begun }: MarkedLink): Promise<void> {
  if (begun || etag === undefined) return;
  const { erasing, ...plain } = link;
  if (erasing !== undefined) await writeLink(blobs, { token, link: plain, etag, signal });
}
