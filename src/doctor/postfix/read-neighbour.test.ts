/** Directories that no Postfix would start with: one line says why, soon, however large and strange the files are. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { privateDirectory, removeDirectory } from '../../../test/harness/private-directory.ts';
import { configOf } from '../testing/neighbour-lab.ts';
import { NeighbourError, readNeighbours } from './read-neighbour.ts';

const shipped = join(import.meta.dirname, '../../../postfix-a');

/** A copy of what is shipped, which `spoil` changes. */
function directory(t: TestContext, spoil: (dir: string) => void): string {
  const home = privateDirectory('hostile');
  t.after(() => removeDirectory(home));
  for (const name of ['main.cf', 'master.cf']) cpSync(join(shipped, name), join(home, name));
  spoil(home);
  return home;
}

const main = (dir: string): string => join(dir, 'main.cf');
const append = (dir: string, text: string): void => writeFileSync(main(dir), text, { flag: 'a' });
const instead = (make: (path: string) => void) => (dir: string) => {
  rmSync(main(dir));
  make(main(dir));
};

const unreadable: readonly (readonly [what: string, spoil: (dir: string) => void, said: RegExp])[] = [
  ['no main.cf', (dir) => rmSync(main(dir)), /^there is no main\.cf in /],
  ['a folder', instead((path) => mkdirSync(path)), /^main\.cf in .* is no file$/],
  ['a pipe that nobody writes to', instead((path) => execFileSync('mkfifo', [path])), /^main\.cf in .* is no file$/],
  ['a device without end', instead((path) => symlinkSync('/dev/zero', path)), /^main\.cf in .* is no file$/],
  ['a link in a circle', instead((path) => symlinkSync(path, path)), /^main\.cf in .* cannot be read \(ELOOP\)$/],
  ['bytes', (dir) => writeFileSync(main(dir), Buffer.alloc(100_000, 200)), /missing '=' after attribute name/],
  [
    'a value that names itself',
    (dir) => append(dir, 'a = $b\nb = $a\nrelayhost = $a\n'),
    /: fatal: macro processing error; .*unreasonable macro call/,
  ],
  ['a value of 9 MB', (dir) => append(dir, `relayhost = ${'x'.repeat(9e6)}\n`), /it prints more than 4 MiB/],
];

for (const [what, spoil, said] of unreadable) {
  test(`main.cf is ${what}`, async (t) => {
    const dir = directory(t, spoil);
    await assert.rejects(readNeighbours([dir], configOf()), (error) => {
      assert.ok(error instanceof NeighbourError);
      assert.match(error.message, said);
      assert.ok(error.message.length < 4000);
      return true;
    });
  });
}

test('of a thousand complaints the first ones are shown, and how many there are besides', async (t) => {
  const lines = Array.from({ length: 1000 }, (_, i) => `unknown${i} = ${'x'.repeat(1000)}\n`);
  const dir = directory(t, (home) => append(home, lines.join('')));
  const [{ complaints } = { complaints: [] }] = await readNeighbours([dir], configOf());
  assert.equal(complaints.length, 11);
  assert.match(complaints.at(-1)!, /^and 990 more/);
  assert.ok(complaints.join().length < 4000);
});
