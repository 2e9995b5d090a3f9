import { Failure } from '../smtp/failures.ts';
import { type Blobs, type Content, type Metadata, type Request, sizeOf } from './blobs.ts';
import { contend } from './contention.ts';
import { type Until, formatUntil, grantedUntil, parseUntil, satisfies } from './until.ts';

/** From this size on it is cheaper to ask first than to send bytes that may be there already. */
const askFirstFrom = 1024 * 1024;

export interface CommitContent extends Request {
  readonly content: Content;
  /** Metadata besides `until`; what is there already is kept. */
  readonly metadata?: Metadata;
  /** The blob is kept at least this long. */
  readonly until: Until;
}

/**
 * Commits bytes under a name that is derived from them. They are stored once even if several processes do it at the
 * same time. Afterwards the blob exists, has the right size, and is kept until `until` at least.
 */
export async function commitContent(blobs: Blobs, name: string, commit: CommitContent): Promise<'stored' | 'present'> {
  const { what, content, until, signal } = commit;
  const metadata = { ...commit.metadata, until: formatUntil(grantedUntil(until)) };
  const store = (): Promise<boolean> => blobs.create(name, { what, content, metadata, signal });
  if (sizeOf(content) < askFirstFrom && (await store())) return 'stored';
  return contend(what, async () => {
    const standing = await keepStanding(blobs, name, commit);
    if (standing === 'kept') return 'present';
    return standing === 'absent' && (await store()) ? 'stored' : undefined;
  });
}

/** Raises `until` of what is there. `changed`: someone else changed or deleted it between the look and the write. */
async function keepStanding(
  blobs: Blobs,
  name: string,
  { what, content, metadata = {}, until, signal }: CommitContent,
): Promise<'kept' | 'changed' | 'absent'> {
  const size = sizeOf(content);
  const found = await blobs.stat(name, { what, signal });
  if (!found) return 'absent';
  if (found.size !== size) {
    throw new Failure('storageFailed', {
      reason: `storage: ${what}: ${found.size} bytes are stored where ${size} belong`,
    });
  }
  const marked = found.metadata[eraseMark] !== undefined;
  const known = Object.keys(metadata).every((key) => found.metadata[key] !== undefined);
  if (satisfies(parseUntil(found.metadata), until) && known && !marked) return 'kept';
  const kept = without(found.metadata, eraseMark);
  const raised = satisfies(parseUntil(found.metadata), until) ? {} : { until: formatUntil(grantedUntil(until)) };
  const changed = { ...metadata, ...kept, ...raised };
  return (await blobs.setMetadata(name, { what, signal, etag: found.etag, metadata: changed })) ? 'kept' : 'changed';
}

export function without(metadata: Metadata, key: string): Metadata {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== key));
}

/** Metadata of a file that `erase` is about to delete; a message that needs the file removes it. */
export const eraseMark = 'erase';
