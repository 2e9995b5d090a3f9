import type { BlobState } from '../blobs.ts';

interface Found {
  readonly contentLength?: number;
  readonly etag?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly lastModified?: Date;
}

/** What storage says of a blob. Throws without an ETag, because no conditional change is possible then. */
export function stateOf({ contentLength, etag, metadata = {}, lastModified }: Found): BlobState {
  if (etag === undefined || contentLength === undefined) throw new Error('storage told no size or no ETag');
  return { size: contentLength, etag, metadata, modified: lastModified?.getTime() ?? 0 };
}
