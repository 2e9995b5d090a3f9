/**
 * The bytes of blobs, each in a file that never changes.
 *
 * They are written to a draft block by block, no faster than the disk takes them, and get their name when they are
 * complete and durable. Only the reader's current block is held.
 */
import { statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Content, Request } from '../blobs.ts';
import { sizeOf } from '../blobs.ts';
import { hasCode } from '../../smtp/failures.ts';
import type { Drafts } from './drafts.ts';
import { filesFolder, pathOf, type Place } from './layout.ts';
import { syncFolder } from './sync-folder.ts';
import { linkIntoFolder } from './versioned-records.ts';

export class Contents {
  readonly #root: string;
  readonly #drafts: Drafts;
  readonly #blocking: boolean;

  constructor(root: string, { drafts, blocking }: { readonly drafts: Drafts; readonly blocking: boolean }) {
    this.#root = root;
    this.#drafts = drafts;
    this.#blocking = blocking;
  }

  /**
   * Writes the bytes under their hash, or under another name if that one is taken by a file that a crash left or that
   * is about to be deleted. @returns the name
   */
  async write(place: Place, content: Content, { signal }: Pick<Request, 'signal'>): Promise<string> {
    const draft = this.#drafts.path('u', place.file);
    await this.#drafts.write(draft, (handle) => copy(content, handle, { signal }));
    try {
      for (const file of [place.file, `${place.file}.${draft.slice(-12)}`]) {
        const path = this.#path(place, file);
        if (!(await linkedIfFree(draft, path))) continue;
        await syncFolder(dirname(path));
        return file;
      }
      throw new Error('no free name for the bytes of a file');
    } finally {
      await this.#drafts.remove(draft);
    }
  }

  async remove(place: Place, file: string): Promise<void> {
    await unlink(this.#path(place, file)).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
    });
  }

  /** Bytes; undefined when they are gone. */
  async size(place: Place, file: string): Promise<number | undefined> {
    const path = this.#path(place, file);
    if (this.#blocking) return statSync(path, { throwIfNoEntry: false })?.size;
    try {
      return (await stat(path)).size;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async open(place: Place, file: string): Promise<FileHandle | undefined> {
    try {
      return await open(this.#path(place, file));
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  #path({ folder, file }: Place, name: string): string {
    return join(this.#root, filesFolder, pathOf({ folder: folder.slice(folder.indexOf('/') + 1), file: name || file }));
  }
}

async function linkedIfFree(from: string, to: string): Promise<boolean> {
  try {
    await linkIntoFolder(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Copies exactly as many bytes as were promised, or throws. */
async function copy(content: Content, to: FileHandle, { signal }: Pick<Request, 'signal'>): Promise<void> {
  if (Buffer.isBuffer(content)) return to.writeFile(content);
  const promised = sizeOf(content);
  const source = content.open(0, promised);
  const stop = (): void => void source.destroy?.(new Error('given up'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    let seen = 0;
    for await (const block of source) {
      signal.throwIfAborted();
      seen += block.length;
      if (seen > promised) throw new Error(`more than the promised ${promised} bytes`);
      for (let at = 0; at < block.length;) at += (await to.write(block, at)).bytesWritten;
    }
    signal.throwIfAborted();
    if (seen < promised) throw new Error(`${seen} of the promised ${promised} bytes`);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
