import { eraseMark } from './content.ts';
import type { Blobs, Metadata, Request } from './blobs.ts';
import { contend } from './contention.ts';
import { formatUntil, grantedUntil, latest, parseUntil, satisfies, type Until } from './until.ts';

export interface CommitRecord extends Request {
  readonly content: Buffer;
  readonly metadata: Metadata;
  readonly until: Until;
}

/** Writes a small record, in the place of an older one; it is kept until `until` at least. */
export async function commitRecord(
  blobs: Blobs,
  name: string,
  { what, signal, content, metadata, until }: CommitRecord,
): Promise<void> {
  const lasting = (time: Until): Metadata => ({ ...metadata, until: formatUntil(time) });
  await contend(what, async () => {
    const blob = { what, signal, content };
    if (await blobs.create(name, { ...blob, metadata: lasting(grantedUntil(until)) })) return true;
    const found = await blobs.read(name, { what, signal });
    if (!found) return undefined;
    const standing = parseUntil(found.metadata);
    const same = found.bytes.equals(content);
    const marked = found.metadata[eraseMark] !== undefined;
    if (same && satisfies(standing, until) && !marked) return true;
    const time = standing === undefined ? grantedUntil(until) : latest(standing, grantedUntil(until));
    const changed = await blobs.replace(name, { ...blob, etag: found.etag, metadata: lasting(time) });
    return changed || undefined;
  });
}
