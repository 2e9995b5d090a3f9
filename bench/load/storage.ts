import { join } from 'node:path';
import { startAzurite } from '../../test/harness/azurite.ts';
import { freePort } from '../../test/harness/ports.ts';
import { Child } from './child.ts';
import { waitForPort } from './wait-for-port.ts';

/** Where detached files go: Azurite, or a server that throws them away. */
export interface BlobStorage {
  readonly kind: 'azurite' | 'null';
  readonly connectionString: string;
  /** Where Azurite keeps the blobs. */
  readonly directory?: string;
  stop(): Promise<void>;
}

/** @param delayMs how long the null storage waits before it answers, as one at some distance does */
export async function startStorage(kind: BlobStorage['kind'], { delayMs = 0 } = {}): Promise<BlobStorage> {
  if (kind === 'null') return startNullStorage(delayMs);
  const azurite = await startAzurite();
  return {
    kind,
    connectionString: azurite.connectionString,
    directory: azurite.directory,
    stop: () => azurite.stop(),
  };
}

async function startNullStorage(delayMs: number): Promise<BlobStorage> {
  const port = await freePort();
  const script = join(import.meta.dirname, 'null-blob-server.ts');
  const child = new Child([process.execPath, '--import', 'tsx', script, String(port), String(delayMs)]);
  await waitForPort(port);
  return {
    kind: 'null',
    // The key is not checked.
    connectionString: `DefaultEndpointsProtocol=http;AccountName=bench;AccountKey=YmVuY2g=;BlobEndpoint=http://127.0.0.1:${port}/bench;`,
    stop: () => child.stop(),
  };
}
