/** Blobs whose operations are counted and timed: one operation of ours, whatever requests it takes. */
import type { Meter, StorageOperation } from '../observe/interface.ts';
import type { Blobs } from './blobs.ts';

/** The operations by what they do to storage; those that ask nothing of it, or all of it, are not counted. */
const operations: Partial<Record<keyof Blobs, StorageOperation>> = {
  stat: 'look',
  read: 'read',
  open: 'read',
  create: 'create',
  touch: 'change',
  replace: 'change',
  setMetadata: 'change',
  delete: 'delete',
};

export function meterBlobs(blobs: Blobs, meter: Pick<Meter, 'storageRequest'>): Blobs {
  return new Proxy(blobs, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const operation = operations[name as keyof Blobs];
      const bound = value.bind(target) as (...args: readonly unknown[]) => unknown;
      if (operation === undefined) return bound;
      return (...args: readonly unknown[]) => timed(() => bound(...args) as Promise<unknown>, { operation, meter });
    },
  });
}

async function timed(
  work: () => Promise<unknown>,
  { operation, meter }: { readonly operation: StorageOperation; readonly meter: Pick<Meter, 'storageRequest'> },
): Promise<unknown> {
  const began = performance.now();
  let result: 'ok' | 'failed' = 'failed';
  try {
    const answer = await work();
    result = 'ok';
    return answer;
  } finally {
    meter.storageRequest(operation, { result, seconds: (performance.now() - began) / 1000 });
  }
}
