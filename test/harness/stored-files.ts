import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** An empty directory as `storage.directory` wants it. */
export function storageDirectory(parent: string): string {
  const directory = join(parent, 'store');
  mkdirSync(directory, { mode: 0o700 });
  return directory;
}

/** Everything below a directory, folders included, by path relative to it. */
export function everythingBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' });
}

/** Paths whose mode is not 0700 for folders and 0600 for files. */
export function openToOthers(directory: string): readonly string[] {
  return ['', ...everythingBelow(directory)].filter((path) => {
    const found = lstatSync(join(directory, path));
    return (found.mode & 0o7777) !== (found.isDirectory() ? 0o700 : 0o600);
  });
}

/** Files whose name is not the hash of their bytes. There must never be any. */
export function wronglyNamed(directory: string): readonly string[] {
  const files = join(directory, 'files');
  return everythingBelow(files)
    .map((path) => join(files, path))
    .filter((path) => lstatSync(path).isFile())
    .filter((path) => {
      const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
      return !path.slice(path.lastIndexOf('/') + 1).startsWith(hash);
    })
    .map((path) => relative(directory, path));
}
