import { statfs } from 'node:fs/promises';
import { Failure } from '../../smtp/failures.ts';

/** Default share of the file system that files never use: a twentieth, of bytes at least 1 GiB. */
const defaultShare = 0.05;
const defaultBytes = 1024 * 1024 * 1024;

export interface Reserve {
  /** Below the directory's file system. */
  readonly directory: string;
  /** Bytes; undefined: the default. */
  readonly reserve: number | undefined;
}

/** Files and folders that the records of a message take; those of a message with many files take more. */
const inodesOfMessage = 32;

/** @throws Failure storageFull when so many bytes more, or another message, would leave less than the reserve */
export async function requireRoom({ directory, reserve }: Reserve, bytes: number): Promise<void> {
  const { bavail, blocks, bsize, ffree, files } = await statfs(directory);
  const kept = reserve ?? Math.max(blocks * bsize * defaultShare, defaultBytes);
  const free = bavail * bsize;
  const mebibytes = (count: number): string => `${Math.floor(count / 1024 / 1024)} MiB`;
  if (free - bytes < kept) {
    throw full(
      `${mebibytes(free)} are free, ${mebibytes(bytes)} are needed, and storage.reserve keeps ${mebibytes(kept)}`,
    );
  }
  // Where inodes are made as they are needed, there are none to count. An operator who keeps no bytes keeps nothing.
  const keptInodes = reserve === 0 || files === 0 ? 0 : Math.floor(files * defaultShare) + inodesOfMessage;
  if (files > 0 && ffree < keptInodes) throw full(`${ffree} inodes are free, and ${keptInodes} are kept`);
}

const full = (reason: string): Failure => new Failure('storageFull', { reason: `storage: ${reason}` });
