/**
 * Files that are being written, in a separate folder. A crash leaves them there; `tidy` removes them.
 *
 * The draft of a change is also an announcement: while it exists, nobody tidies the versions of that record. Changes
 * (`c-`) and the tidying of versions (`r-`) exclude each other: each announces itself first and then looks for the
 * other. An announcement older than two minutes was left by a crash.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from './fs-errors.ts';

/** After this time a change checks that its announcement still stands; `staleMs` is twice that. */
export const suspectMs = 60_000;
const staleMs = 2 * suspectMs;

export type DraftKind = 'c' | 'r' | 'n' | 'u';

export class Drafts {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A name that nobody else has; `record` is what the draft is about. */
  path(kind: DraftKind, record: string): string {
    const random = randomBytes(9).toString('base64url');
    return join(this.#folder, `${kind}-${keyOf(record)}-${random}`);
  }

  /** Writes a file durably and readable for us only, or leaves nothing. */
  async write(path: string, bytes: (handle: FileHandle) => Promise<void>): Promise<void> {
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.chmod(0o600);
      await bytes(handle);
      await handle.sync();
    } catch (error) {
      await this.remove(path);
      throw error;
    } finally {
      await handle.close();
    }
  }

  async remove(path: string): Promise<void> {
    await unlink(path).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
    });
  }

  /** Whether another process has announced one of these kinds for the record. */
  async others(record: string, { kinds, own }: { readonly kinds: string; readonly own: string }): Promise<boolean> {
    const key = keyOf(record);
    const names = await readdir(this.#folder);
    const announced = names.filter((name) => kinds.includes(name[0] ?? ' ') && name.startsWith(`-${key}-`, 1));
    for (const name of announced) {
      const path = join(this.#folder, name);
      if (path !== own && (await isFresh(path))) return true;
    }
    return false;
  }
}

const keyOf = (record: string): string => createHash('sha256').update(record).digest('base64url').slice(0, 22);

async function isFresh(path: string): Promise<boolean> {
  try {
    return Math.abs(Date.now() - (await stat(path)).ctimeMs) < staleMs;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
