import { contend } from '../contention.ts';
import type { Link } from '../interface.ts';
import { readLink, writeLink } from '../links.ts';
import type { AdminContext } from './context.ts';

export interface Change {
  readonly verb: 'revoke' | 'unrevoke';
  /** Only says what would be done. */
  readonly dryRun: boolean;
}

/** `unchanged`: it was so already; `absent`: no such link. */
export type Outcome = 'changed' | 'unchanged' | 'absent';

/** Changes a link against the version that was judged. */
export function changeLink(context: AdminContext, token: string, { verb, dryRun }: Change): Promise<Outcome> {
  const { blobs, signal, now } = context;
  return contend<Outcome>('changing a link', async () => {
    const found = await readLink(blobs, token, signal);
    if (!found || found.link.erasing !== undefined) return 'absent';
    const link = verb === 'revoke' ? revoked(found.link, now()) : unrevoked(found.link);
    if (!link) return 'unchanged';
    if (dryRun || (await writeLink(blobs, { token, link, etag: found.etag, signal }))) return 'changed';
    return undefined;
  });
}

const revoked = (link: Link, now: number): Link | undefined =>
  link.revoked === undefined ? { ...link, revoked: new Date(now).toISOString() } : undefined;

function unrevoked({ revoked: since, ...link }: Link): Link | undefined {
  return since === undefined ? undefined : link;
}
