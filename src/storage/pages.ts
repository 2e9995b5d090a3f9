import type { Blobs, Metadata, Request } from './blobs.ts';
import { DamagedRecord } from './damaged-record.ts';
import type { Page } from './interface.ts';
import { fingerprintOf, pageBlob } from './naming.ts';

/** A page as it stands there, and its version for a change. */
export interface FoundPage {
  readonly page: Page;
  readonly etag: string;
  readonly metadata: Metadata;
}

export async function readPage(
  blobs: Blobs,
  token: string,
  { signal }: Pick<Request, 'signal'>,
): Promise<FoundPage | undefined> {
  const what = `page ${fingerprintOf(token)}`;
  const found = await blobs.read(pageBlob(token), { what, signal });
  if (!found) return undefined;
  const { bytes, etag, metadata } = found;
  const page = parsePage(bytes);
  if (page) return { page, etag, metadata };
  throw new DamagedRecord(pageBlob(token), { what, problem: 'not a page that this version can read' });
}

function parsePage(bytes: Buffer): Page | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    const known = typeof value === 'object' && value !== null && 'v' in value && value.v === 1;
    return known && 'tokens' in value && Array.isArray(value.tokens) ? (value as Page) : undefined;
  } catch {
    return undefined;
  }
}
