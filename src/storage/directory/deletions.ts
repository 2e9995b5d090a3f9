/**
 * Deletes records, those that are asked for at the same time together. Each follows the protocol of a change
 * (`versioned-records.ts`), but they share what is slow: one tombstone is written and flushed for all, as hard links;
 * drafts of others are looked for once; each folder is flushed once, and for most file systems the first of these
 * flushes does the work of all. A sweep deletes several million records.
 *
 * The id of a tombstone is used once for a record, since a record stands in a batch once.
 */
import { existsSync, linkSync, renameSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { nextPath, readChain, readOnlyVersion } from './chain.ts';
import { type Drafts, suspectMs } from './drafts.ts';
import { hasCode } from '../../smtp/failures.ts';
import { isDamage } from './fs-errors.ts';
import { syncFolder } from './sync-folder.ts';
import { encodeVersion, newVersion, tombstone } from './version.ts';

/** Records in one batch: their calls to the file system hold the event loop for some milliseconds. */
const maxBatch = 64;
/** The same for a command, which serves nobody else meanwhile. */
const maxBlockingBatch = 512;
/** Folders that are flushed, and so are open, at once. */
const maxFlushes = 16;

export interface Deletion {
  readonly path: string;
  /** The version that was judged. */
  readonly id: string;
}

export interface DeletionsOptions {
  readonly drafts: Drafts;
  readonly now: () => number;
  /** As in `VersionedRecordsOptions`. */
  readonly blocking: boolean;
  /** For a record of several versions, or one that others change at this moment. */
  readonly alone: (deletion: Deletion) => Promise<boolean>;
}

interface Waiting extends Deletion {
  readonly resolve: (done: boolean | Promise<boolean>) => void;
  readonly reject: (error: unknown) => void;
}

/** `several`: of several versions, or others are about to tidy it. */
type Outcome = 'deleted' | 'changed' | 'several';

interface Announced extends Deletion {
  /** The draft that says so; its name changes when the record is settled. */
  announcement: string;
  outcome: Outcome;
}

export class Deletions {
  readonly #options: DeletionsOptions;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(options: DeletionsOptions) {
    this.#options = options;
  }

  /** @returns false when the record is not that version any more */
  delete(deletion: Deletion): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...deletion, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    // Whoever asks in the same turn of the event loop comes along.
    for (;;) {
      await nextTurn();
      if (this.#waiting.length === 0) break;
      const batch = this.#take();
      try {
        const outcomes = await this.#deleteAll(batch);
        for (const [i, each] of batch.entries()) each.resolve(this.#answer(each, outcomes[i]!));
      } catch (error) {
        // A sweep whose clock is far ahead took our drafts for those of a crash, or one record cannot be read: each for
        // itself then.
        if (hasCode(error, 'ENOENT') || isDamage(error))
          for (const each of batch) each.resolve(this.#options.alone(each));
        else for (const { reject } of batch) reject(error);
      }
    }
    this.#running = false;
  }

  #answer({ path, id }: Deletion, outcome: Outcome): boolean | Promise<boolean> {
    return outcome === 'several' ? this.#options.alone({ path, id }) : outcome === 'deleted';
  }

  /** A record once. */
  #take(): readonly Waiting[] {
    const size = this.#options.blocking ? maxBlockingBatch : maxBatch;
    const batch = new Map<string, Waiting>();
    const later: Waiting[] = [];
    for (const each of this.#waiting) {
      if (batch.size < size && !batch.has(each.path)) batch.set(each.path, each);
      else later.push(each);
    }
    this.#waiting = later;
    return [...batch.values()];
  }

  async #deleteAll(batch: readonly Deletion[]): Promise<readonly Outcome[]> {
    const { drafts, now } = this.#options;
    const version = newVersion(tombstone, now());
    const written = drafts.path('n', version.id);
    const announced: Announced[] = [];
    try {
      await drafts.write(written, (handle) => handle.writeFile(encodeVersion(version)));
      const started = performance.now();
      for (const each of batch) announced.push(announce(each, { drafts, written }));
      await this.#mark(announced);
      if (performance.now() - started > suspectMs) await lookAgain(announced, version.id);
      await this.#settle(announced.filter(isDeleted), version.id);
      return announced.map(({ outcome }) => outcome);
    } finally {
      for (const { announcement } of announced) removeIfThere(announcement);
      removeIfThere(written);
    }
  }

  /** Puts the tombstone after the version that was judged, durably. */
  async #mark(announced: readonly Announced[]): Promise<void> {
    const busy = await this.#options.drafts.busy(announced, 'r');
    for (const each of announced) {
      const found = busy.has(each.path) ? 'several' : readOnlyVersion(each.path);
      if (found === 'several') each.outcome = 'several';
      else if (found?.id === each.id && !found.gone && linkedIfFree(each)) each.outcome = 'deleted';
    }
    await flushAll(new Set(announced.filter(isDeleted).map(({ path }) => dirname(path))));
  }

  /**
   * Removes what is deleted. Nothing need be flushed: after each of these calls the record is deleted, and is too when
   * a power cut takes the call back. While a record is announced nobody else does this, but it may get a new version.
   */
  async #settle(deleted: readonly Announced[], tombstoneId: string): Promise<void> {
    const { drafts } = this.#options;
    for (const each of deleted) {
      const settling = drafts.path('r', each.path);
      renameSync(each.announcement, settling);
      each.announcement = settling;
    }
    const busy = await drafts.busy(deleted, 'cr');
    for (const { path, id } of deleted) {
      if (busy.has(path) || existsSync(nextPath(path, tombstoneId))) continue;
      renameSync(nextPath(path, id), path);
      unlinkSync(path);
    }
  }
}

async function flushAll(folders: ReadonlySet<string>): Promise<void> {
  const waiting = folders.values();
  const worker = async (): Promise<void> => {
    for (const folder of waiting) await syncFolder(folder);
  };
  await Promise.all(Array.from({ length: Math.min(maxFlushes, folders.size) }, worker));
}

const isDeleted = ({ outcome }: Announced): boolean => outcome === 'deleted';

function announce(
  { path, id }: Deletion,
  { drafts, written }: { readonly drafts: Drafts; readonly written: string },
): Announced {
  const announcement = drafts.path('c', path);
  linkSync(written, announcement);
  return { path, id, announcement, outcome: 'changed' };
}

/** It took so long that others may have held the announcements for those of a crash, and done something else. */
async function lookAgain(announced: readonly Announced[], tombstoneId: string): Promise<void> {
  for (const each of announced.filter(isDeleted)) {
    if ((await readChain(each.path))?.some(({ id }) => id === tombstoneId)) continue;
    removeIfThere(nextPath(each.path, each.id));
    each.outcome = 'changed';
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

function linkedIfFree({ path, id, announcement }: Announced): boolean {
  try {
    linkSync(announcement, nextPath(path, id));
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}
