import { randomBytes } from 'node:crypto';
import type { Blobs } from '../../storage/blobs.ts';
import { readLink, writeLink } from '../../storage/links.ts';
import { linkBlob } from '../../storage/naming.ts';
import type { TrialBlob } from './trial-blob.ts';

/** `sweep` deletes what a doctor left that was killed. */
const livesMs = 600_000;
const removeMs = 5000;

/** Stands on the page, so that it can be recognised. */
export const trialName = 'detach-mta-doctor.bin';

/** Makes a link to the trial file, and takes it away again whatever happens. @throws Failure of storage */
export async function withTrialLink<T>(
  { blobs, sha256, bytes, signal }: TrialBlob,
  work: (token: string) => Promise<T>,
): Promise<T> {
  const token = randomBytes(16).toString('base64url');
  const now = Date.now();
  const link = {
    v: 2,
    sha256,
    size: bytes.length,
    name: trialName,
    type: 'application/octet-stream',
    created: new Date(now).toISOString(),
    expires: new Date(now + livesMs).toISOString(),
    reversePath: '',
    messageIdentity: `<${token}@doctor.invalid>`,
  } as const;
  await writeLink(blobs, { token, link, etag: undefined, signal });
  try {
    return await work(token);
  } finally {
    await remove(blobs, token);
  }
}

/** As with the trial file: it goes also when the check was given up. */
async function remove(blobs: Blobs, token: string): Promise<void> {
  const signal = AbortSignal.timeout(removeMs);
  const found = await readLink(blobs, token, { signal });
  if (found) await blobs.delete(linkBlob(token), { what: 'deleting a trial link', etag: found.etag, signal });
}
