import type { DamagedRecords } from '../../damaged-record.ts';
import type { AdminContext } from '../context.ts';
import { youngMs } from '../needed-file.ts';

/** What a sweep deleted, or would delete. */
export interface Swept {
  files: number;
  /** Of the files. */
  bytes: number;
  /** Manifests. */
  messages: number;
  links: number;
  pages: number;
  /** Records of recipients. */
  transactions: number;
  /** Index entries that named nothing any more. */
  entries: number;
  /** Links whose `erase` had not ended. */
  erased: number;
  /** What a crash left in a directory. */
  leftovers: number;
  /** Links and manifests from before the index that were brought into it. */
  indexed: number;
  /** Blobs past their end that a hold keeps. */
  held: number;
}

/** What there is after a sweep. */
export interface Standing {
  living: number;
  expired: number;
  revoked: number;
  /** Links past their end or not, of those above. */
  held: number;
  files: number;
  /** Of the files. */
  bytesStored: number;
  /** Manifests. */
  messages: number;
}

/** What a sweep has met. */
export interface Seen {
  /** Manifests from before the index: searches for recipients must read them. */
  oldManifests: boolean;
}

export interface SweepRun {
  readonly context: AdminContext & { readonly damaged: DamagedRecords };
  readonly dryRun: boolean;
  readonly swept: Swept;
  readonly standing: Standing;
  /** The sweep before has checked what was written before this time; ms since 1970. */
  readonly lookedUntil: number;
  /** Every link was in the index when the last sweep ended. */
  readonly indexed: boolean;
  readonly seen: Seen;
}

/**
 * Whether an unexpired blob that nothing in the index names is needed by nothing. A link that cannot be read may be one
 * from before the index, and need any of them.
 */
export const mayJudgeOrphans = ({ context }: SweepRun): boolean => !context.damaged.hasLink;

/**
 * More than the difference between the clocks of relays and storage, and than the time for which a blob counts as
 * young.
 */
const overlapMs = 2 * youngMs;

export const newSwept = (): Swept => ({
  files: 0,
  bytes: 0,
  messages: 0,
  links: 0,
  pages: 0,
  transactions: 0,
  entries: 0,
  erased: 0,
  leftovers: 0,
  indexed: 0,
  held: 0,
});

export const newStanding = (): Standing => ({
  living: 0,
  expired: 0,
  revoked: 0,
  held: 0,
  files: 0,
  bytesStored: 0,
  messages: 0,
});

/**
 * Whether to check that an unexpired blob still belongs to something. A check costs a request for each blob. Only blobs
 * written since the last sweep can have lost what they belonged to, and for young ones it may still come.
 */
export function mayBeOrphan({ context, lookedUntil }: SweepRun, { modified }: { readonly modified: number }): boolean {
  return modified > lookedUntil - overlapMs && modified + youngMs < context.now();
}
