import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAzurite } from '../../../test/harness/azurite.ts';
import type { StorageConfig } from '../azure/container.ts';
import type { Blobs } from '../blobs.ts';
import { openBlobs } from '../store.ts';

/** What keeps blobs for real, for tests that are the same for both. */
export interface Backend {
  readonly storage: StorageConfig;
  open(now?: () => number): Blobs;
  stop(): Promise<void>;
}

async function startAzure(): Promise<Backend> {
  const azurite = await startAzurite({ inMemory: true });
  const storage = { connectionString: azurite.connectionString, container: 'detach' };
  return {
    storage,
    open: (now = Date.now) => openBlobs({ storage, now }),
    stop: () => azurite.stop(),
  };
}

function startDirectory(): Promise<Backend> {
  const directory = mkdtempSync(join(tmpdir(), 'detach-store-'));
  const storage = { directory, reserve: 0, container: 'detach' };
  return Promise.resolve({
    storage,
    open: (now = Date.now) => openBlobs({ storage, now }),
    stop: () => {
      rmSync(directory, { recursive: true });
      return Promise.resolve();
    },
  });
}

export const backends: readonly (readonly [string, () => Promise<Backend>])[] = [
  ['Azure', startAzure],
  ['a directory', startDirectory],
];
