import type { StoredFigures } from '../../observe/interface.ts';
import type { Blobs } from '../blobs.ts';
import { sweepRecord } from '../index-names.ts';
import type { Standing } from './sweep/run.ts';

/** What the last complete sweep found; undefined when no such record exists. */
export async function lastSweep(blobs: Blobs, signal: AbortSignal): Promise<StoredFigures | undefined> {
  const found = await blobs.read(sweepRecord, { what: 'the last sweep', signal });
  if (!found || found.bytes.length === 0) return undefined;
  const { started, standing } = JSON.parse(found.bytes.toString()) as {
    started?: string;
    standing?: Partial<Standing>;
  };
  if (started === undefined || standing === undefined) return undefined;
  const { living = 0, expired = 0, revoked = 0, files = 0, bytesStored = 0 } = standing;
  return { files, bytes: bytesStored, links: { living, expired, revoked }, at: Date.parse(started) };
}
