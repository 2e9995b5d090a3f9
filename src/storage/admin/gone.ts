import type { Link } from '../interface.ts';
import { fileBlob, pageBlob } from '../naming.ts';
import { type AdminContext, hasAny, request } from './context.ts';
import { manifestsOf } from './message-blobs.ts';

/** `message`: what it takes to restore it. */
export type Gone = 'file' | 'page' | 'message';

/** What belongs to a link and is not there any more: a sweep or an `erase` has deleted it. */
export async function goneOf(context: AdminContext, link: Link): Promise<readonly Gone[]> {
  const { blobs } = context;
  const what = request(context, 'looking for what belongs to a link');
  const gone: Gone[] = [];
  if (!(await blobs.stat(fileBlob(link.sha256), what))) gone.push('file');
  if (link.page !== undefined && !(await blobs.stat(pageBlob(link.page), what))) gone.push('page');
  // The manifest of a link from before the index is found only when a sweep has indexed it.
  if (link.v !== 1 && !(await hasAny(manifestsOf(context, link)))) gone.push('message');
  return gone;
}
