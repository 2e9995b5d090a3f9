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
import { hasCode } from '../../smtp/failures.ts';

/** After this time a change checks that its announcement still stands; `staleMs` is twice that. */
export const suspectMs = 60_000;
const staleMs = 2 * suspectMs;

/** A record, and the draft by which we have announced what we do to it. */
export interface Announcement {
  readonly path: string;
  readonly announcement: string;
}

export type DraftKind = 'c' | 'r' | 'n' | 'u';

/** Whether it is the name of a draft, or just lies among them. */
export const isDraft = (name: string): boolean => /^[crnu]-/.test(name);

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
    return (await this.busy([{ path: record, announcement: own }], kinds)).size > 0;
  }

  /** The records for which somebody else has announced one of these kinds. */
  async busy(records: readonly Announcement[], kinds: string): Promise<ReadonlySet<string>> {
    const ours = new Map(records.map((each) => [keyOf(each.path), each]));
    const busy = new Set<string>();
    for (const name of await readdir(this.#folder)) {
      const found = kinds.includes(name[0] ?? ' ') && ours.get(name.slice(2, 2 + keyLength));
      if (!found) continue;
      const path = join(this.#folder, name);
      if (path !== found.announcement && (await isFresh(path))) busy.add(found.path);
    }
    return busy;
  }
}

const keyLength = 22;
const keyOf = (record: string): string => createHash('sha256').update(record).digest('base64url').slice(0, keyLength);

async function isFresh(path: string): Promise<boolean> {
  try {
    return Math.abs(Date.now() - (await stat(path)).ctimeMs) < staleMs;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
