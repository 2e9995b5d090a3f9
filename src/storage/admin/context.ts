import type { Blobs, ListedBlob, Listing, Request } from '../blobs.ts';
import { DamagedRecord, type DamagedRecords } from '../damaged-record.ts';

/** What the operator's commands work with. */
export interface AdminContext {
  readonly blobs: Blobs;
  /** The first one writes, all of them find. */
  readonly secrets: readonly Buffer[];
  /** ms since 1970, by the clock of this process. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Blobs that a sweep works on at once. */
  readonly parallel?: number;
  /** Called with what has been read so far, to show progress. */
  readonly progress: (step: string, count: number) => void;
  /** Collects records that cannot be read, while the others are worked on; without it, such a record ends the work. */
  readonly damaged?: DamagedRecords;
}

export const request = ({ signal }: AdminContext, what: string): Request => ({ what, signal });

/** All blobs whose name begins so. Ends at a record that cannot be read: who decides by all of them must not miss one. */
export function listed(context: AdminContext, prefix: string): AsyncGenerator<ListedBlob> {
  const step = stepOf(prefix);
  return each(context, { step, pages: context.blobs.list(prefix, request(context, `listing ${step}`)) });
}

/** All that can be read, for work on each of them. */
export function readable(context: AdminContext, prefix: string): AsyncGenerator<ListedBlob> {
  const step = stepOf(prefix);
  return each(context, { step, pages: context.blobs.list(prefix, listing(context, step)) });
}

/** The names alone. */
export function namesBelow(context: AdminContext, prefix: string): AsyncGenerator<string> {
  const step = stepOf(prefix);
  return each(context, { step, pages: context.blobs.names(prefix, listing(context, step)) });
}

const listing = (context: AdminContext, step: string): Listing => ({
  ...request(context, `listing ${step}`),
  damaged: context.damaged?.add,
});

/** @returns undefined when a record that the work needs cannot be read: it is collected */
export async function unlessDamaged<T>(
  { damaged }: Pick<AdminContext, 'damaged'>,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!damaged || !(error instanceof DamagedRecord)) throw error;
    damaged.add(error);
    return undefined;
  }
}

const stepOf = (prefix: string): string => prefix.split('/', 2).join('/').replace(/\/$/, '');

async function* each<T>(
  { progress }: AdminContext,
  { step, pages }: { readonly step: string; readonly pages: AsyncIterable<readonly T[]> },
): AsyncGenerator<T> {
  let count = 0;
  for await (const page of pages) {
    yield* page;
    count += page.length;
    progress(step, count);
  }
}

/** Requests to storage at once, for one command. */
const defaultParallel = 32;
/** A directory deletes many records for little more than the price of one. */
export const directoryParallel = 512;

/** Does the work for several at once, and gives the results in order. */
export async function* inParallel<T, R>(
  source: AsyncIterable<T>,
  work: (item: T) => Promise<R>,
  { parallel = defaultParallel }: Pick<AdminContext, 'parallel'> = {},
): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  try {
    for await (const item of source) {
      const result = work(item);
      result.catch(() => undefined);
      running.push(result);
      if (running.length >= parallel) yield await running.shift()!;
    }
    while (running.length > 0) yield await running.shift()!;
  } finally {
    await Promise.allSettled(running);
  }
}

/** Whether the source gives at least one item. */
export async function hasAny(source: AsyncGenerator): Promise<boolean> {
  try {
    return (await source.next()).done !== true;
  } finally {
    await source.return(undefined);
  }
}

/** Does the work for all of them, several at once. */
export async function forAll<T>(
  source: AsyncIterable<T>,
  work: (item: T) => Promise<void>,
  options: Pick<AdminContext, 'parallel'>,
): Promise<void> {
  const results = inParallel(source, work, options);
  while ((await results.next()).done !== true);
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}
