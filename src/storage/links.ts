import type { ContainerClient } from '@azure/storage-blob';
import { answered, attempt, storageFailure } from './attempt.ts';
import { contend } from './contention.ts';
import type { Link } from './interface.ts';
import { newLink, parseLink, renewed } from './link-record.ts';
import type { LinkIdentity } from './interface.ts';
import { fingerprintOf, linkBlob } from './naming.ts';
import { readSmall } from './read-small.ts';

export interface CommitLink {
  readonly token: string;
  readonly identity: LinkIdentity;
  readonly size: number;
  /** ms; 0: never. */
  readonly expiresAfter: number;
  readonly now: number;
  readonly signal: AbortSignal;
}

/** Writes the link, or finds the one of the first try and leaves it alone unless it has to be renewed. */
export async function commitLink(container: ContainerClient, wanted: CommitLink): Promise<Link> {
  const { token, identity, signal } = wanted;
  const fresh = newLink(identity, wanted);
  return contend(describe(token), async () => {
    if (await writeLink(container, { token, link: fresh, etag: undefined, signal })) return fresh;
    const found = await readLink(container, token, signal);
    if (!found) return undefined;
    const link = renewed(found.link, wanted);
    if (!link) return found.link;
    return (await writeLink(container, { token, link, etag: found.etag, signal })) ? link : undefined;
  });
}

export async function readLink(
  container: ContainerClient,
  token: string,
  signal: AbortSignal,
): Promise<{ readonly link: Link; readonly etag: string } | undefined> {
  const what = describe(token);
  const found = await readSmall(container.getBlobClient(linkBlob(token)), { what, signal });
  if (!found) return undefined;
  const link = parseLink(found.bytes.toString('utf8'));
  if (!link) throw storageFailure(what, new Error('not a link that this version can read'));
  return { link, etag: found.etag };
}

interface WriteLink {
  readonly token: string;
  readonly link: Link;
  /** What is replaced; undefined: nothing is. */
  readonly etag: string | undefined;
  readonly signal: AbortSignal;
}

/** @returns false when the condition does not hold: someone else was quicker. */
function writeLink(container: ContainerClient, { token, link, etag, signal }: WriteLink): Promise<boolean> {
  const body = Buffer.from(JSON.stringify(link));
  return attempt({ what: describe(token), signal }, async ({ signal: abortSignal }) => {
    const conditions = etag === undefined ? { ifNoneMatch: '*' } : { ifMatch: etag };
    const blobHTTPHeaders = { blobContentType: 'application/json' };
    try {
      const blob = container.getBlockBlobClient(linkBlob(token));
      await blob.upload(body, body.length, { abortSignal, conditions, blobHTTPHeaders });
      return true;
    } catch (error) {
      answered(error, 404, 409, 412);
      return false;
    }
  });
}

const describe = (token: string): string => `link ${fingerprintOf(token)}`;
