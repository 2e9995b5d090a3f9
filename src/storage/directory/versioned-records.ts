/**
 * Small records that several processes change at the same time, conditionally and without locks.
 *
 * A record is a file. Its next version is a file beside it, named after the id of the version before, and created by
 * link(2). If two processes judged the same version, one of them finds the name taken. Ids are never reused, so a
 * change that was judged long ago cannot follow a later version. Readers go from the first file to the last version.
 * Deleting is a version too. Tidying then replaces the first file by the last version with rename(2), or removes all.
 * It is done only while no change is announced (`drafts.ts`): otherwise a change that was judged before could find its
 * name free again.
 */
import { link, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { nextPath, readChain, readOnlyVersion } from './chain.ts';
import { Deletions } from './deletions.ts';
import { type Drafts, suspectMs } from './drafts.ts';
import { hasCode } from '../../smtp/failures.ts';
import { pathOf, type Place } from './layout.ts';
import { makeFolder, requireFolder, syncFolder } from './sync-folder.ts';
import { type Draft, encodeVersion, newVersion, tombstone, type Version } from './version.ts';

/** How often a change is announced again while versions are tidied, which takes a few milliseconds. */
const announceTries = 50;

export interface VersionedRecordsOptions {
  readonly root: string;
  readonly drafts: Drafts;
  readonly now: () => number;
  /** Reads without the thread pool: for a command, which serves nobody else meanwhile. */
  readonly blocking: boolean;
}

interface Successor {
  /** The version that was judged: it must still be the last one. */
  readonly id: string;
  readonly draft: Draft;
}

export class VersionedRecords {
  readonly #root: string;
  readonly #drafts: Drafts;
  readonly #now: () => number;
  readonly #blocking: boolean;
  readonly #deletions: Deletions;

  constructor({ root, drafts, now, blocking }: VersionedRecordsOptions) {
    this.#root = root;
    this.#drafts = drafts;
    this.#now = now;
    this.#blocking = blocking;
    this.#deletions = new Deletions({
      drafts,
      now,
      blocking,
      alone: ({ path, id }) => this.#follow(path, { id, draft: tombstone }),
    });
  }

  /** The current version; undefined when there is no such record. */
  async read(place: Place): Promise<Version | undefined> {
    const path = this.#path(place);
    const only = this.#blocking ? readOnlyVersion(path) : 'several';
    const last = only === 'several' ? (await readChain(path))?.at(-1) : only;
    return last?.gone ? undefined : last;
  }

  /** @returns false when the record is there already */
  async create(place: Place, draft: Draft): Promise<boolean> {
    const path = this.#path(place);
    for (;;) {
      if (await this.#createFirst(path, draft)) return true;
      const last = (await readChain(path))?.at(-1);
      if (last && !last.gone) return false;
      if (last && (await this.#follow(path, { id: last.id, draft }))) return true;
    }
  }

  /** @returns false when the record is not that version any more */
  replace(place: Place, next: Successor): Promise<boolean> {
    return this.#follow(this.#path(place), next);
  }

  /** @returns false when the record is not that version any more */
  delete(place: Place, id: string): Promise<boolean> {
    return this.#deletions.delete({ path: this.#path(place), id });
  }

  /** Removes old versions, unless a change is under way. */
  async tidy(place: Place): Promise<void> {
    const path = this.#path(place);
    const announcement = this.#drafts.path('r', path);
    await this.#drafts.write(announcement, () => Promise.resolve());
    await this.#settle(path, announcement);
  }

  /** From here on a power cut does not take the version that others have written. */
  flush(place: Place): Promise<void> {
    return syncFolder(dirname(this.#path(place)));
  }

  #path(place: Place): string {
    return join(this.#root, pathOf(place));
  }

  async #createFirst(path: string, draft: Draft): Promise<boolean> {
    const written = this.#drafts.path('n', path);
    await this.#write(written, newVersion(draft, this.#now()));
    try {
      await linkIntoFolder(written, path);
      await syncFolder(dirname(path));
      return true;
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false;
      throw error;
    } finally {
      await this.#drafts.remove(written);
    }
  }

  /** Makes the draft the version that follows `id`. */
  async #follow(path: string, { id, draft }: Successor): Promise<boolean> {
    const announcement = this.#drafts.path('c', path);
    const started = performance.now();
    const version = newVersion(draft, this.#now());
    await this.#announce(path, { announcement, version });
    let tidying: string | undefined;
    try {
      const last = (await readChain(path))?.at(-1);
      if (last?.id !== id) return false;
      const next = nextPath(path, id);
      if (!(await linkIfFree(announcement, next))) return false;
      await syncFolder(dirname(path));
      if (performance.now() - started > suspectMs && !(await this.#counts(path, version.id))) {
        await unlink(next);
        return false;
      }
      tidying = this.#drafts.path('r', path);
      await rename(announcement, tidying);
    } finally {
      if (tidying === undefined) await this.#drafts.remove(announcement);
    }
    await this.#settle(path, tidying);
    return true;
  }

  /** Says that a change begins. @throws Error when the versions of the record are tidied all the time */
  async #announce(
    path: string,
    { announcement, version }: { readonly announcement: string; readonly version: Version },
  ): Promise<void> {
    for (let i = 0; i < announceTries; i++) {
      await this.#write(announcement, version);
      if (!(await this.#drafts.others(path, { kinds: 'r', own: announcement }))) return;
      await this.#drafts.remove(announcement);
      await pause(Math.random() * 20 * (i + 1));
    }
    throw new Error('the record is being tidied by others');
  }

  /**
   * Replaces the first version by the last, or removes all when the last one says that the record is deleted. Removes
   * the announcement.
   */
  async #settle(path: string, announcement: string): Promise<void> {
    try {
      if (await this.#drafts.others(path, { kinds: 'cr', own: announcement })) return;
      const chain = await readChain(path);
      if (!chain) return;
      const names = [path, ...chain.map(({ id }) => nextPath(path, id))].slice(0, chain.length);
      if (chain.length > 1) await rename(names.at(-1)!, path);
      const between = names.slice(1, -1);
      // Without these the first version, should it come back after a power cut, would be the last one.
      if (between.length > 0) await syncFolder(dirname(path));
      for (const name of between) await unlink(name);
      if (chain.at(-1)!.gone) await unlink(path);
    } finally {
      await this.#drafts.remove(announcement);
    }
  }

  async #counts(path: string, id: string): Promise<boolean> {
    return (await readChain(path))?.some((version) => version.id === id) ?? false;
  }

  #write(path: string, version: Version): Promise<void> {
    const bytes = encodeVersion(version);
    return this.#drafts.write(path, (handle) => handle.writeFile(bytes));
  }
}

async function linkIfFree(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Creates the folder of a shard when its first file comes. */
export async function linkIntoFolder(from: string, to: string): Promise<void> {
  await requireFolder(dirname(to));
  try {
    await link(from, to);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    // Another process has removed the folder.
    await makeFolder(dirname(to));
    await link(from, to);
  }
}
