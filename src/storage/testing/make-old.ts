import type { Blobs } from '../blobs.ts';
import type { Link } from '../interface.ts';
import type { StoredMessage } from './store-message.ts';

const request = { what: 'test', signal: new AbortController().signal };

/** Makes the whole store look as if versions without an index had written it. */
export async function makeOld(blobs: Blobs, messages: readonly StoredMessage[]): Promise<void> {
  const index: string[] = [];
  for await (const page of blobs.list('index/', request)) index.push(...page.map(({ name }) => name));
  for (const name of index) await blobs.delete(name, { ...request, etag: (await blobs.stat(name, request))!.etag });
  for (const { tokens, links, manifestId, page } of messages) {
    for (const [i, token] of tokens.entries()) {
      const { sha256, size, name, type, created, expires, reversePath, messageIdentity } = links[i]!;
      const old: Link = { v: 1, sha256, size, name, type, created, expires, reversePath, messageIdentity };
      const { etag } = (await blobs.stat(`links/${token}`, request))!;
      const content = Buffer.from(JSON.stringify(old));
      await blobs.replace(`links/${token}`, { ...request, etag, content, metadata: {} });
    }
    const id = `messages/${manifestId}`;
    const { metadata, etag } = (await blobs.stat(id, request))!;
    await blobs.setMetadata(id, { ...request, etag, metadata: { until: metadata['until']! } });
    const found = page === undefined ? undefined : await blobs.stat(`pages/${page}`, request);
    if (found) await blobs.delete(`pages/${page}`, { ...request, etag: found.etag });
  }
}
