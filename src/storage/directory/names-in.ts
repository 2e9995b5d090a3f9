/**
 * The names in a folder, which may be a million. A small folder is read at once: it costs a fraction of the time, and a
 * command reads some thirty thousand of them.
 */
import { type Dir, opendirSync, readdirSync, statSync } from 'node:fs';
import { hasCode } from '../../smtp/failures.ts';

/** Size of a folder, in bytes as the file system has it, up to which its names are held in memory: some ten thousand. */
const smallBytes = 1024 * 1024;

/** None where there is no such folder. A large folder is read anew each time that its names are asked for. */
export function namesIn(folder: string): Iterable<string> {
  try {
    const size = statSync(folder, { throwIfNoEntry: false })?.size;
    if (size === undefined) return [];
    return size <= smallBytes ? readdirSync(folder) : { [Symbol.iterator]: () => streamOfNames(folder) };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function* streamOfNames(folder: string): Generator<string> {
  let dir: Dir;
  try {
    dir = opendirSync(folder, { bufferSize: 1024 });
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return;
    throw error;
  }
  try {
    for (let entry = dir.readSync(); entry; entry = dir.readSync()) yield entry.name;
  } finally {
    dir.closeSync();
  }
}
