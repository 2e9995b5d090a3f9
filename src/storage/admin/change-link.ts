/** Changes of one link. Each is made only if the link is still the version that was judged, and returns its outcome. */
import { contend } from '../contention.ts';
import { fileIndex } from '../index-names.ts';
import type { Link } from '../interface.ts';
import { type FoundLink, readLink, writeLink } from '../links.ts';
import { neededUntil, type Until } from '../until.ts';
import { type AdminContext, request } from './context.ts';
import { type Gone, goneOf } from './gone.ts';
import { keepForLink } from './keep.ts';
import type { IndexedLink } from './message-blobs.ts';

export type Change =
  | { readonly verb: 'revoke' | 'unrevoke' | 'hold' | 'release' }
  | { readonly verb: 'extend'; readonly to: { readonly until: number } | { readonly by: number } };

/** `unchanged`: the link already was so; `missing`: the file is gone; `absent`: no such link. */
export type Outcome = 'changed' | 'unchanged' | 'missing' | 'absent';

export interface Changed {
  readonly outcome: Outcome;
  /** As it is now, or would be. */
  readonly link?: Link;
  /** Of a change that keeps what belongs to the link: what cannot be kept any more. */
  readonly gone?: readonly Gone[];
}

/**
 * `revoke` and `release` change the link alone. The others make it live longer: first everything that it needs is kept
 * for as long, then the link is changed. A crash in between only leaves a file that lives longer than its link.
 * @param change with `dryRun`, only says what would be done
 */
export async function changeLink(
  context: AdminContext,
  token: string,
  change: Change & { readonly dryRun?: boolean },
): Promise<Changed> {
  const changed = await tryChange(context, token, change);
  return changed.link && keeps(change) ? { ...changed, gone: await goneOf(context, changed.link) } : changed;
}

/** Whether the change makes what belongs to the link live longer. */
export const keeps = ({ verb }: Change): boolean => verb !== 'revoke' && verb !== 'release';

function tryChange(
  context: AdminContext,
  token: string,
  change: Change & { readonly dryRun?: boolean },
): Promise<Changed> {
  const { blobs, signal, now } = context;
  return contend('changing a link', async (): Promise<Changed | undefined> => {
    const found = await readLink(blobs, token, { signal });
    if (!found || found.link.erasing !== undefined) return { outcome: 'absent' };
    const link = changed(found.link, { change, now: now() });
    if (!link) return { outcome: 'unchanged', link: found.link };
    if (change.dryRun === true) return { outcome: 'changed', link };
    return apply(context, { token, link, found, change });
  });
}

interface Application {
  readonly token: string;
  readonly link: Link;
  readonly found: FoundLink;
  readonly change: Change;
}

/** undefined: another process has changed the link. */
async function apply(context: AdminContext, { token, link, found, change }: Application): Promise<Changed | undefined> {
  const { blobs, signal, now } = context;
  const { verb } = change;
  const lengthens = keeps(change);
  const kept = !lengthens || (await keepForLink(context, { token, link, until: needed(link, now()) }));
  if (!kept && verb === 'extend') return { outcome: 'missing', link: found.link };
  if (await writeLink(blobs, { token, link, etag: found.etag, signal })) {
    // This changes the ETags, so an `erase` of another link of the message, or a sweep, that looked before the hold
    // deletes nothing.
    if (verb === 'hold') await keepForLink(context, { token, link, until: needed(link, now()) });
    return { outcome: kept ? 'changed' : 'missing', link };
  }
  if (lengthens) await dropEntryOfNothing(context, { token, link });
  return undefined;
}

/** The link was erased meanwhile, so its new index entry must go too. */
async function dropEntryOfNothing(context: AdminContext, { token, link }: IndexedLink): Promise<void> {
  const what = request(context, 'index');
  const name = fileIndex(link.sha256) + token;
  const entry = await context.blobs.stat(name, what);
  if (!entry || (await readLink(context.blobs, token, context))) return;
  await context.blobs.delete(name, { ...what, etag: entry.etag });
}

/** How long the link's file must be kept. The file of a held link is kept until a sweep checks for the hold. */
function needed({ expires }: Link, now: number): Until {
  if (expires === null) return 'never';
  return neededUntil(Math.max(now, Date.parse(expires)), 1);
}

/** undefined: the link already is so. */
function changed(link: Link, { change, now }: { readonly change: Change; readonly now: number }): Link | undefined {
  const at = new Date(now).toISOString();
  const { revoked, held, ...plain } = link;
  switch (change.verb) {
    case 'revoke':
      return revoked === undefined ? { ...link, revoked: at } : undefined;
    case 'unrevoke':
      return revoked === undefined ? undefined : { ...plain, ...(held !== undefined && { held }) };
    case 'hold':
      return held === undefined ? { ...link, held: at } : undefined;
    case 'release':
      return held === undefined ? undefined : { ...plain, ...(revoked !== undefined && { revoked }) };
    case 'extend': {
      const end = newEnd(link, { to: change.to, now });
      return end === undefined ? undefined : { ...link, expires: new Date(end).toISOString() };
    }
    default:
      return change satisfies never;
  }
}

/** The new end is never earlier than the present one. */
function newEnd(
  { expires }: Link,
  { to, now }: Pick<Extract<Change, { verb: 'extend' }>, 'to'> & { readonly now: number },
): number | undefined {
  if (expires === null) return undefined;
  const old = Date.parse(expires);
  const end = 'until' in to ? to.until : Math.max(now, old) + to.by;
  return end > old ? end : undefined;
}
