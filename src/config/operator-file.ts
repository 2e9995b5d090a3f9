import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** A file that the operator named, and that cannot be what the key needs. The message says why, after its path. */
export class OperatorFileError extends Error {
  override readonly name = 'OperatorFileError';
}

/**
 * Reads a small file that a key names. Other than a plain file is refused before it is read: a pipe without a writer,
 * or a device without an end, would hold the start for ever.
 * @throws OperatorFileError, the system's error
 */
export function readOperatorFile(path: string, { maxBytes }: { readonly maxBytes: number }): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(file);
    if (!found.isFile()) throw new OperatorFileError(`is ${found.isDirectory() ? 'a directory' : 'no plain file'}`);
    if (found.size > maxBytes) throw new OperatorFileError(`has ${found.size} bytes, at most ${maxBytes} are possible`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** @throws OperatorFileError */
export function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new OperatorFileError('is not valid UTF-8', { cause: error });
  }
}

/** A template stands in every message, or in every page that a scanner opens: bytes. */
export const maxTemplateBytes = 32_768;
