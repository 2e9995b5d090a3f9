import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { Failure } from '../../smtp/failures.ts';
import { newSpoolPath, prepareFolder } from './spool-folder.ts';

const root = await mkdtemp(join(tmpdir(), 'spool-folder-'));
after(() => rm(root, { recursive: true }));

let made = 0;
/** A folder of its own for each test, with this mode. */
async function folder(mode = 0o700, below = root): Promise<string> {
  const path = join(below, `f${(made += 1)}`);
  await mkdir(path);
  await chmod(path, mode);
  return path;
}

const refused = async (path: string, reason: RegExp): Promise<void> =>
  assert.rejects(prepareFolder(path), (error: unknown) => {
    assert.ok(error instanceof Failure, String(error));
    assert.match(error.message, reason);
    assert.ok(error.message.includes('spool.directory'));
    return true;
  });

const ourName = (): string => basename(newSpoolPath('/'));

test('a folder that is missing is made, private, with the folders above it', async () => {
  const path = join(await folder(), 'a/b/spool');
  await prepareFolder(path);
  assert.equal((await lstat(path)).mode & 0o777, 0o700);
  assert.equal((await lstat(join(path, '..'))).mode & 0o022, 0);
});

test('a folder that cannot be made is an error, also where the file system denies a folder that is there', async () => {
  await assert.rejects(prepareFolder('/proc/nowhere'), { code: 'ENOENT' });
  const file = join(await folder(), 'file');
  await writeFile(file, 'x');
  await assert.rejects(prepareFolder(join(file, 'spool')), { code: 'ENOTDIR' });
});

test('a folder that is made by two at once is made', async () => {
  const path = join(await folder(), 'a/b/spool');
  await Promise.all(Array.from({ length: 20 }, () => prepareFolder(path)));
  assert.equal((await lstat(path)).mode & 0o777, 0o700);
});

test('only files with names of our own making are deleted', async () => {
  const path = await folder();
  const foreign = ['old.spool', `${ourName()}.bak`, `x${ourName()}`, ourName().toUpperCase(), 'mail'];
  for (const name of foreign) await writeFile(join(path, name), 'x');
  const ours = [ourName(), ourName()];
  for (const name of ours) await writeFile(join(path, name), 'x');
  const [link, inner] = [ourName(), ourName()];
  await symlink(join(path, 'mail'), join(path, link));
  await mkdir(join(path, inner));
  await prepareFolder(path);
  assert.deepEqual((await readdir(path)).sort(), [...foreign, link, inner].sort());
});

test('a symbolic link is refused, and nothing behind it is touched', async () => {
  const target = await folder();
  const name = ourName();
  await writeFile(join(target, name), 'x');
  await symlink(target, join(root, 'link'));
  await refused(join(root, 'link'), /is a symbolic link: name the folder itself/);
  await refused(`${join(root, 'link')}/`, /is a symbolic link/);
  assert.deepEqual(await readdir(target), [name]);
  await symlink(join(root, 'nowhere'), join(root, 'dangling'));
  await assert.rejects(prepareFolder(join(root, 'dangling')));
  await assert.rejects(lstat(join(root, 'nowhere')), 'it does not create what the link leads to');
});

test('a file is refused', async () => {
  await writeFile(join(root, 'file'), 'x');
  await assert.rejects(prepareFolder(join(root, 'file')));
});

test('a folder that others can write to is refused, whoever they are', async () => {
  for (const mode of [0o777, 0o720, 0o702, 0o1777])
    await refused(await folder(mode), /it can be written by other users/);
});

test('so is one below a folder that others can write to, unless that is sticky', async () => {
  for (const mode of [0o777, 0o775, 0o707]) {
    const open = await folder(mode);
    await refused(join(open, 'spool'), /above it can be written by other users/);
    assert.deepEqual(await readdir(open), [], 'nothing is created there');
    await mkdir(join(open, 'deep'));
    await refused(join(open, 'deep/er/spool'), /above it can be written by other users/);
  }
  await prepareFolder(join(await folder(0o1777), 'spool'));
});

test('a link above it of root or of this user is followed, and judged by what it leads to', async () => {
  const safe = await folder();
  await symlink(basename(safe), join(root, 'to-safe'));
  await prepareFolder(join(root, 'to-safe', 'spool'));
  assert.deepEqual(await readdir(safe), ['spool']);
  const open = await folder(0o777);
  await symlink(open, join(root, 'to-open'));
  await refused(join(root, 'to-open', 'spool'), /above it can be written/);
  await symlink(join(root, 'circle'), join(root, 'circle'));
  await refused(join(root, 'circle', 'spool'), /too many symbolic links/);
});

test('a link above it is followed step by step, also where its target leads up again', async () => {
  const [safe, open, far] = [await folder(), await folder(0o777), await folder()];
  await symlink(`${open}/../${basename(safe)}`, join(root, 'through-open'));
  await refused(join(root, 'through-open', 'spool'), /above it can be written/);
  // Up from where the first link leads, not from where it is: only there is a folder that others can write to.
  await mkdir(join(far, 'inner'));
  const trap = basename(await folder(0o777, far));
  await mkdir(join(root, trap));
  await symlink(join(far, 'inner'), join(root, 'to-inner'));
  await symlink(`to-inner/../${trap}`, join(root, 'to-trap'));
  await refused(join(root, 'to-trap', 'spool'), /above it can be written/);
  await symlink(`to-inner/./../../${basename(safe)}`, join(root, 'back-to-safe'));
  await prepareFolder(join(root, 'back-to-safe', 'spool'));
  assert.deepEqual(await readdir(safe), ['spool']);
});
