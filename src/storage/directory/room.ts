import { statfs } from 'node:fs/promises';
import { Failure } from '../../smtp/failures.ts';

/** Default share of the file system that files never use: a twentieth, at least 1 GiB. */
const defaultShare = 0.05;
const defaultBytes = 1024 * 1024 * 1024;

export interface Reserve {
  /** Below the directory's file system. */
  readonly directory: string;
  /** Bytes; undefined: the default. */
  readonly reserve: number | undefined;
}

/** @throws Failure storageFull when so many bytes more would leave less than the reserve */
export async function requireRoom({ directory, reserve }: Reserve, bytes: number): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(directory);
  const kept = reserve ?? Math.max(blocks * bsize * defaultShare, defaultBytes);
  const free = bavail * bsize;
  if (free - bytes >= kept) return;
  const mebibytes = (count: number): string => `${Math.floor(count / 1024 / 1024)} MiB`;
  throw new Failure('storageFull', {
    reason: `storage: ${mebibytes(free)} are free, ${mebibytes(bytes)} are needed, and storage.reserve keeps ${mebibytes(kept)}`,
  });
}
