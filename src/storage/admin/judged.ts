/** Deletes blobs that another process may begin to need at the same time. */
import type { BlobState, ListedBlob } from '../blobs.ts';
import { eraseMark, without } from '../content.ts';
import { contend } from '../contention.ts';
import { DamagedRecord } from '../damaged-record.ts';
import { type AdminContext, request } from './context.ts';

export type Judged = 'deleted' | 'kept' | 'gone';

/**
 * Marks a blob, asks whether it is needed, and deletes it under the mark's ETag when it is not. A message writes its
 * index entry before it looks at the blob. So either its entry is seen here, or the message sees the mark and removes
 * it.
 */
export function deleteUnlessNeeded(
  context: AdminContext,
  name: string,
  { isNeeded }: { readonly isNeeded: () => Promise<boolean> },
): Promise<Judged> {
  const { blobs } = context;
  const what = request(context, 'erasing');
  return contend(what.what, async () => {
    const marked = await mark(context, name);
    if (marked === 'gone') return 'gone';
    if (!marked) return undefined;
    const unmark = (): Promise<boolean> =>
      blobs.setMetadata(name, { ...what, etag: marked.etag, metadata: without(marked.metadata, eraseMark) });
    if (await neededOrUnmarked(isNeeded, unmark)) {
      // A message may already have removed the mark.
      await unmark();
      return 'kept';
    }
    return (await blobs.delete(name, { ...what, etag: marked.etag })) ? 'deleted' : undefined;
  });
}

/** What cannot be judged is not deleted, and keeps no mark either. */
async function neededOrUnmarked(isNeeded: () => Promise<boolean>, unmark: () => Promise<boolean>): Promise<boolean> {
  try {
    return await isNeeded();
  } catch (error) {
    if (error instanceof DamagedRecord) await unmark();
    throw error;
  }
}

/** Marks the blob; undefined: another process has changed it. */
async function mark(context: AdminContext, name: string): Promise<BlobState | 'gone' | undefined> {
  const what = request(context, 'marking');
  const found = await context.blobs.stat(name, what);
  if (!found) return 'gone';
  if (found.metadata[eraseMark] !== undefined) return found;
  const metadata = { ...found.metadata, [eraseMark]: 'yes' };
  if (!(await context.blobs.setMetadata(name, { ...what, etag: found.etag, metadata }))) return undefined;
  const marked = await context.blobs.stat(name, what);
  if (!marked) return 'gone';
  return marked.metadata[eraseMark] === undefined ? undefined : marked;
}

/** Deletes a blob as it is. @returns false when it is gone, or was changed since it was judged */
export function deleteIfUnchanged(
  context: AdminContext,
  { name, etag }: Pick<ListedBlob, 'name' | 'etag'>,
): Promise<boolean> {
  return context.blobs.delete(name, { ...request(context, 'deleting'), etag });
}

/** Deletes the present version. @returns false when there is none, or another process has just changed it */
export async function deleteNow(context: AdminContext, name: string): Promise<boolean> {
  const found = await context.blobs.stat(name, request(context, 'deleting'));
  return found !== undefined && deleteIfUnchanged(context, { name, etag: found.etag });
}
