import { eraseMark, without } from '../content.ts';
import { contend } from '../contention.ts';
import { fileIndex } from '../index-names.ts';
import type { Link } from '../interface.ts';
import { fileBlob } from '../naming.ts';
import { formatUntil, parseUntil, satisfies, type Until } from '../until.ts';
import { type AdminContext, request } from './context.ts';
import { lastingBlobsOf, writeEntries } from './message-blobs.ts';

/**
 * Raises `until` of a blob if it is too low, and removes the mark of an `erase`. This changes the ETag, so nothing that
 * judged the blob before can delete it. @returns false when the blob is gone
 */
function keepUntil(context: AdminContext, name: string, { until }: Pick<Needs, 'until'>): Promise<boolean> {
  const { blobs } = context;
  const what = request(context, 'raising until');
  return contend(what.what, async () => {
    const found = await blobs.stat(name, what);
    if (!found) return false;
    const enough = satisfies(parseUntil(found.metadata), until);
    if (enough && found.metadata[eraseMark] === undefined) return true;
    const metadata = { ...without(found.metadata, eraseMark), ...(!enough && { until: formatUntil(until) }) };
    return (await blobs.setMetadata(name, { ...what, etag: found.etag, metadata })) || undefined;
  });
}

export interface Needs {
  readonly token: string;
  readonly link: Link;
  readonly until: Until;
}

/**
 * Keeps everything that a link needs, before the link is changed. As for a new message, the index entry is written
 * first, so that another `erase` sees that the file is needed. @returns false when the file is gone
 */
export async function keepForLink(context: AdminContext, { token, link, until }: Needs): Promise<boolean> {
  // No entry for a file that is gone: a link without both is what a refused message left, and a sweep deletes it.
  if (!(await context.blobs.stat(fileBlob(link.sha256), request(context, 'looking for a file')))) return false;
  await context.blobs.touch(fileIndex(link.sha256) + token, request(context, 'index'));
  if (!(await keepUntil(context, fileBlob(link.sha256), { until }))) return false;
  // What a refused mail left may have lost them to an `erase`: it could be kept and not be found.
  await writeEntries(context, { token, link });
  for await (const name of lastingBlobsOf(context, link)) await keepUntil(context, name, { until });
  return true;
}
