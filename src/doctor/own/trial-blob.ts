import { createHash, randomBytes } from 'node:crypto';
import type { Blobs } from '../../storage/blobs.ts';
import { fileBlob } from '../../storage/naming.ts';
import { formatUntil } from '../../storage/until.ts';

/** Enough for a range that does not begin at the start. */
const trialBytes = 4096;

/** `sweep` deletes what a doctor left that was killed. */
const keptMs = 3_600_000;

export interface TrialBlob {
  readonly blobs: Blobs;
  readonly sha256: string;
  readonly bytes: Buffer;
  /** Of the check. */
  readonly signal: AbortSignal;
}

export interface TrialOptions {
  readonly blobs: Blobs;
  readonly signal: AbortSignal;
  readonly bytes?: Buffer;
}

/** Stores a file that nobody else has, and deletes it again whatever happens. @throws Failure of storage */
export async function withTrialBlob<T>(
  { blobs, signal, bytes = randomBytes(trialBytes) }: TrialOptions,
  work: (trial: TrialBlob) => Promise<T>,
): Promise<T> {
  // The service does that at its start, which may not have been yet.
  await blobs.prepare(signal);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const name = fileBlob(sha256);
  const metadata = { until: formatUntil(Date.now() + keptMs) };
  await blobs.create(name, { what: 'writing a trial file', content: bytes, metadata, signal });
  try {
    return await work({ blobs, sha256, bytes, signal });
  } finally {
    await remove(blobs, name);
  }
}

const removeMs = 5000;

/** @throws Failure of storage */
async function remove(blobs: Blobs, name: string): Promise<void> {
  // Its own time: what was written goes also when the check was given up.
  const signal = AbortSignal.timeout(removeMs);
  const found = await blobs.stat(name, { what: 'looking at a trial file', signal });
  if (found) await blobs.delete(name, { what: 'deleting a trial file', etag: found.etag, signal });
}
