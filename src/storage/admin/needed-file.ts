import { fileIndex, lastSegment } from '../index-names.ts';
import type { Link } from '../interface.ts';
import { livesOrIsHeld } from '../link-record.ts';
import { readLink } from '../links.ts';
import { parseUntil } from '../until.ts';
import { type AdminContext, listed } from './context.ts';
import { manifestsOf } from './message-blobs.ts';

/** A younger index entry may belong to a message under way, whose link is written later. */
export const youngMs = 86_400_000;

export interface Exception {
  /** Links that do not count. */
  readonly except?: ReadonlySet<string>;
}

/**
 * Whether the file is needed: by a link that lives or is held, by an unexpired manifest of its message, or by a message
 * under way.
 */
export async function isFileNeeded(
  context: AdminContext,
  sha256: string,
  { except = new Set() }: Exception = {},
): Promise<boolean> {
  for await (const { name, modified } of listed(context, fileIndex(sha256))) {
    const token = lastSegment(name);
    if (except.has(token)) continue;
    if (modified + youngMs > context.now()) return true;
    const link = (await readLink(context.blobs, token, context))?.link;
    if (link && link.erasing === undefined && (await needsFile(context, link))) return true;
  }
  return false;
}

async function needsFile(context: AdminContext, link: Link): Promise<boolean> {
  if (livesOrIsHeld(link, context.now())) return true;
  for await (const { metadata } of manifestsOf(context, link)) {
    const until = parseUntil(metadata);
    if (until === undefined || until === 'never' || until > context.now()) return true;
  }
  return false;
}
