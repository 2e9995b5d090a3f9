import type { Blobs, Request } from './blobs.ts';
import { contend } from './contention.ts';
import { DamagedRecord } from './damaged-record.ts';
import type { Link, LinkIdentity } from './interface.ts';
import { isBeingErased, type LinkDetails, linkMetadata, newLink, parseLink, renewed } from './link-record.ts';
import { fingerprintOf, linkBlob } from './naming.ts';

export interface CommitLink {
  readonly token: string;
  readonly identity: LinkIdentity;
  readonly details: LinkDetails;
  /** ms; 0: never. */
  readonly expiresAfter: number;
  readonly now: number;
  readonly signal: AbortSignal;
  /** Told when there was no such link before. */
  readonly made?: (() => void) | undefined;
}

/**
 * Writes the link. If the link of the first try exists, it stays unless it must be renewed.
 * @throws Failure storageFailed while the link is being erased: the next try makes a new one
 */
export async function commitLink(blobs: Blobs, wanted: CommitLink): Promise<Link> {
  const { token, identity, details, signal } = wanted;
  const fresh = newLink(identity, details, wanted);
  const link = await contend(describe(token), async () => {
    if (await writeLink(blobs, { token, link: fresh, etag: undefined, signal })) return fresh;
    const found = await readLink(blobs, token, { signal });
    if (!found) return undefined;
    const next = successor(found.link, fresh, wanted);
    if (next === 'busy') return undefined;
    if (!next) return found.link;
    return (await writeLink(blobs, { token, link: next, etag: found.etag, signal })) ? next : undefined;
  });
  if (link === fresh) wanted.made?.();
  return link;
}

/** What replaces `found` when its message comes again; undefined: it stays as it is. */
function successor(found: Link, fresh: Link, wanted: CommitLink): Link | 'busy' | undefined {
  if (isBeingErased(found, wanted.now)) return 'busy';
  if (found.erasing !== undefined) return fresh;
  const link = renewed(found, wanted);
  if (link || found.v === 1 || found.crc32 === undefined) {
    return { ...(link ?? found), v: 2, ...wanted.details, ...(found.v === 1 && { beforeIndex: true }) };
  }
  return undefined;
}

/** A link as it stands there, and its version for a change. */
export interface FoundLink {
  readonly link: Link;
  readonly etag: string;
}

export async function readLink(
  blobs: Blobs,
  token: string,
  { signal }: Pick<Request, 'signal'>,
): Promise<FoundLink | undefined> {
  const what = describe(token);
  const found = await blobs.read(linkBlob(token), { what, signal });
  if (!found) return undefined;
  const link = parseLink(found.bytes.toString('utf8'));
  if (!link) {
    throw new DamagedRecord(linkBlob(token), { what, problem: 'not a link that this version can read' });
  }
  return { link, etag: found.etag };
}

export interface WriteLink {
  readonly token: string;
  readonly link: Link;
  /** What is replaced; undefined: nothing is. */
  readonly etag: string | undefined;
  readonly signal: AbortSignal;
}

/** @returns false when the condition does not hold: another process was faster */
export function writeLink(blobs: Blobs, { token, link, etag, signal }: WriteLink): Promise<boolean> {
  const content = Buffer.from(JSON.stringify(link));
  const blob = { what: describe(token), content, metadata: linkMetadata(link), signal };
  return etag === undefined ? blobs.create(linkBlob(token), blob) : blobs.replace(linkBlob(token), { ...blob, etag });
}

const describe = (token: string): string => `link ${fingerprintOf(token)}`;
