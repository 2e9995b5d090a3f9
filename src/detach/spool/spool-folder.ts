/**
 * The folder for spool files. A user who can write to it, or to a folder above it, could read or replace the mail in
 * it, or lead us to another folder. So each step of the path, links included, is checked before anything is created or
 * deleted there.
 */
import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readlink, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { Failure, hasCode } from '../../smtp/failures.ts';

/** As the kernel follows them (path_resolution(7)). */
const maxLinks = 40;

const sticky = 0o1000;
const writableByOthers = 0o022;

/** What `newSpoolPath` makes. */
const ourName = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.spool$/;

export const newSpoolPath = (folder: string): string => join(folder, `${randomUUID()}.spool`);

/**
 * Creates the folder where it is missing, and removes the files that a kill left in it between opening and unlinking.
 * @throws Failure internal, when other users could write there
 */
export async function prepareFolder(folder: string): Promise<void> {
  const path = resolve(folder);
  await checkAbove(path);
  if (await createFolder(path)) await chmod(path, 0o700);
  checkItself(path, await lstat(path));
  await removeLeftovers(path);
}

/**
 * With what is missing above it. Not by `recursive`: where a file system says ENOENT below a folder that is there, as
 * /proc does, Node tries again for ever. @returns whether it was not there
 */
async function createFolder(path: string): Promise<boolean> {
  try {
    return await createOne(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || dirname(path) === path) throw error;
  }
  if (!(await lstatIfThere(dirname(path)))) await createFolder(dirname(path));
  return createOne(path);
}

async function createOne(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Whether the folder could be used: changes nothing. @throws as `prepareFolder` */
export async function checkFolder(folder: string): Promise<void> {
  const path = resolve(folder);
  await checkAbove(path);
  const stats = await lstatIfThere(path);
  if (stats) checkItself(path, stats);
}

function checkItself(path: string, stats: Stats): void {
  if (stats.isSymbolicLink()) throw unsafe(path, 'it is a symbolic link: name the folder itself');
  if (!stats.isDirectory()) throw unsafe(path, 'it is no folder');
  if (!isOwn(stats)) throw unsafe(path, `it belongs to user ${stats.uid}`);
  if ((stats.mode & writableByOthers) !== 0) throw unsafe(path, 'it can be written by other users');
}

/** Checks the folders above it, as far as they exist. */
async function checkAbove(path: string): Promise<void> {
  let links = 0;
  /** Names that are still to be followed, without the last one of the path. */
  const ahead = namesOf(dirname(path));
  let at: string = sep;
  for (;;) {
    const stats = await lstatIfThere(at);
    if (!stats) return;
    if (!isOwn(stats)) throw unsafe(path, `${at} above it belongs to user ${stats.uid}`);
    if (stats.isSymbolicLink()) {
      links += 1;
      if (links > maxLinks) throw unsafe(path, 'too many symbolic links lead to it');
      // Step by step, as the kernel goes: `..` behind a link is the folder above its target.
      const target = await readlink(at);
      ahead.unshift(...namesOf(target));
      at = isAbsolute(target) ? sep : dirname(at);
    } else if ((stats.mode & writableByOthers) !== 0 && (stats.mode & sticky) === 0)
      throw unsafe(path, `${at} above it can be written by other users`);
    const next = ahead.shift();
    if (next === undefined) return;
    at = join(at, next);
  }
}

const namesOf = (path: string): string[] => path.split(sep).filter((name) => name !== '');

async function lstatIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!ourName.test(name)) continue;
    const path = join(folder, name);
    const stats = await lstatIfThere(path);
    // `rm` would remove a link and not its target, but we only create regular files.
    if (stats?.isFile() === true && stats.uid === userId(stats)) await rm(path, { force: true });
  }
}

/** Whether it belongs to this user, or to root. */
const isOwn = (stats: Stats): boolean => stats.uid === 0 || stats.uid === userId(stats);

/** This user's; on a system without users everything is ours. */
const userId = ({ uid }: Stats): number => process.getuid?.() ?? uid;

const unsafe = (path: string, reason: string): Failure =>
  new Failure('internal', { reason: `spool.directory ${path}: ${reason}` });
