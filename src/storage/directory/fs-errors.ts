import { Failure, hasCode } from '../../smtp/failures.ts';
import type { Request } from '../blobs.ts';
import { DamagedRecord } from '../damaged-record.ts';

/** The bytes of a record are not those that were written. */
export class NotARecord extends Error {
  constructor() {
    super('not a record that this version can read');
  }
}

/**
 * Whether this one file is to blame: its bytes, its sectors, its rights, or what stands in its place. Everything else,
 * such as too many open files, would hit any other file as well.
 */
export const isDamage = (error: unknown): boolean =>
  error instanceof NotARecord || hasCode(error, 'EACCES', 'EPERM', 'EIO', 'EBADMSG', 'EUCLEAN', 'ELOOP', 'EISDIR');

/**
 * Runs one operation, on the blob `record` where that is told. Errors of the file system become a Failure with a reason
 * for the log.
 */
export async function onDisk<T>(
  { what, signal, record }: Request & { readonly record?: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    if (signal.aborted) throw new Error(`given up: ${describe(signal.reason)}`);
    return await work();
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (record !== undefined && isDamage(error)) throw new DamagedRecord(record, { what, problem: describe(error) });
    const kind = hasCode(error, 'ENOSPC', 'EDQUOT') ? 'storageFull' : 'storageFailed';
    throw new Failure(kind, {
      reason: `storage: ${what}: ${describe(error)}`,
      ...(record !== undefined && { record }),
    });
  }
}

/** The same for a change: a folder or a disk that takes no changes is not the fault of the record. */
export function changeOnDisk<T>(
  { record, ...request }: Request & { readonly record: string },
  work: () => Promise<T>,
): Promise<T> {
  return onDisk(request, async () => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof NotARecord) throw new DamagedRecord(record, { ...request, problem: describe(error) });
      throw error;
    }
  });
}

/** Describes an error without its path, because the path contains a token. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && 'syscall' in error ? `${String(error.code)} (${String(error.syscall)})` : error.message;
}
