import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Azurite, startAzurite } from '../test/harness/azurite.ts';
import { type StoredFile, storedFiles } from '../test/harness/storage-use.ts';
import type { LabOptions, Started } from './places.ts';

export type StorageKind = 'azurite' | 'directory';

/** Where the lab keeps files. */
export interface LabStorage {
  /** A connection string, or the path of a directory. */
  readonly location: string;
  /** What a lab says of it when it has started. */
  readonly started: Readonly<Parameters<Started>>;
  /** Its server, where there is one. */
  readonly azurite: Azurite | undefined;
  /** The stored files, as `files/<sha256>`. */
  files(): Promise<readonly StoredFile[]>;
  stop(): Promise<void>;
}

export async function startStorage({ home, ports, storage }: LabOptions): Promise<LabStorage> {
  if (storage === 'directory') {
    const location = join(home, 'files');
    return openDirectory(location);
  }
  const azurite = await startAzurite({ port: ports.azurite, directory: join(home, 'azurite') });
  const { connectionString: location } = azurite;
  const started = ['Azurite', `127.0.0.1:${ports.azurite}`, 'blob storage'] as const;
  return { location, started, azurite, files: () => storedFiles(location), stop: () => azurite.stop() };
}

function openDirectory(location: string): LabStorage {
  if (!existsSync(location)) mkdirSync(location, { mode: 0o700 });
  return {
    location,
    started: ['storage.directory', location, ''],
    azurite: undefined,
    files: () => Promise.resolve(filesIn(join(location, 'files'))),
    stop: () => Promise.resolve(),
  };
}

const filesIn = (folder: string): StoredFile[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => ({ name: `files/${name}`, size: statSync(join(parentPath, name)).size }));
