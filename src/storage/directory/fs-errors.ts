import { Failure } from '../../smtp/failures.ts';
import type { Request } from '../blobs.ts';

export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));

/**
 * Runs one operation, on the blob `record` where that is told. Errors of the file system become a Failure with a reason
 * for the log.
 */
export async function onDisk<T>({ what, signal }: Request, work: () => Promise<T>, record?: string): Promise<T> {
  try {
    if (signal.aborted) throw new Error(`given up: ${describe(signal.reason)}`);
    return await work();
  } catch (error) {
    if (error instanceof Failure) throw error;
    const kind = hasCode(error, 'ENOSPC', 'EDQUOT') ? 'storageFull' : 'storageFailed';
    throw new Failure(kind, {
      reason: `storage: ${what}: ${describe(error)}`,
      ...(record !== undefined && { record }),
    });
  }
}

/** Describes an error without its path, because the path contains a token. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && 'syscall' in error ? `${String(error.code)} (${String(error.syscall)})` : error.message;
}
