import type { BlockBlobClient } from '@azure/storage-blob';
import { Failure } from '../smtp/failures.ts';
import { answered, attempt } from './attempt.ts';
import { contend } from './contention.ts';
import { type Until, formatUntil, grantedUntil, parseUntil, satisfies } from './until.ts';
import { type Upload, sizeOf, upload } from './upload.ts';

/** From here on it is cheaper to ask first than to send bytes that may be there already. */
const askFirstFrom = 1024 * 1024;

export interface CommitContent extends Omit<Upload, 'metadata'> {
  /** The blob is kept at least this long. */
  readonly until: Until;
}

/**
 * Commits bytes under a name that is derived from them: once, however many do it at the same time.
 * After it the blob is there, has the right size, and is kept until `until` at least.
 */
export async function commitContent(blob: BlockBlobClient, commit: CommitContent): Promise<'stored' | 'present'> {
  const { what, content, until, signal } = commit;
  const metadata = { until: formatUntil(grantedUntil(until)) };
  const store = (): Promise<boolean> => upload(blob, { what, content, metadata, signal });
  if (sizeOf(content) < askFirstFrom && (await store())) return 'stored';
  return contend(what, async () => {
    const standing = await keepStanding(blob, commit);
    if (standing === 'kept') return 'present';
    return standing === 'absent' && (await store()) ? 'stored' : undefined;
  });
}

/** Raises `until` of what is there. `changed`: someone else changed or deleted it between the look and the write. */
async function keepStanding(blob: BlockBlobClient, commit: CommitContent): Promise<'kept' | 'changed' | 'absent'> {
  const { what, content, until, signal } = commit;
  const size = sizeOf(content);
  return attempt({ what, signal }, async ({ signal: abortSignal }) => {
    let found;
    try {
      found = await blob.getProperties({ abortSignal });
    } catch (error) {
      answered(error, 404);
      return 'absent';
    }
    if (found.contentLength !== size) {
      const reason = `storage: ${what}: ${found.contentLength ?? 'no'} bytes are stored where ${size} belong`;
      throw new Failure('storageFailed', { reason });
    }
    if (satisfies(parseUntil(found.metadata), until)) return 'kept';
    const metadata = { ...found.metadata, until: formatUntil(grantedUntil(until)) };
    const conditions = found.etag === undefined ? {} : { ifMatch: found.etag };
    try {
      await blob.setMetadata(metadata, { abortSignal, conditions });
      return 'kept';
    } catch (error) {
      // 404: deleted since; 412: changed since, perhaps about to be deleted.
      answered(error, 404, 412);
      return 'changed';
    }
  });
}
