import type { Blobs, ListedBlob, Request } from '../blobs.ts';

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
}

export const request = ({ signal }: AdminContext, what: string): Request => ({ what, signal });

/** All blobs whose name begins so. */
export function listed(context: AdminContext, prefix: string): AsyncGenerator<ListedBlob> {
  const step = stepOf(prefix);
  return each(context, step, context.blobs.list(prefix, request(context, `listing ${step}`)));
}

/** Their names alone. */
export function namesBelow(context: AdminContext, prefix: string): AsyncGenerator<string> {
  const step = stepOf(prefix);
  return each(context, step, context.blobs.names(prefix, request(context, `listing ${step}`)));
}

const stepOf = (prefix: string): string => prefix.split('/', 2).join('/').replace(/\/$/, '');

async function* each<T>(
  { progress }: AdminContext,
  step: string,
  pages: AsyncIterable<readonly T[]>,
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
