// Rooms of `src/` import only rooms to their right, and only their `interface.ts`, so that the rest can change.
// Vocabulary is open to all. The rooms that put the others together may import any file.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');

const builders = ['main.ts', 'commands', 'doctor', 'service', 'course'];
/** The rooms in the order in which a message passes through them; the last ones are used by all others. */
const rooms = ['inbound', 'loopguard', 'detach', 'links', 'storage', 'outbound', 'observe'];
const vocabulary = ['config', 'message', 'limits', 'runtime', 'smtp'];
const order = [...builders, ...rooms, ...vocabulary];

const roomOf = (path) => path.split('/')[1];

const files = readdirSync(join(root, 'src'), { recursive: true })
  .map((file) => join('src', file))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('/testing/'));

/** What is imported from other rooms. */
const imports = files.flatMap((file) =>
  Array.from(readFileSync(join(root, file), 'utf8').matchAll(/(?:from|import) '(\.[^']+)'/g), ([, target]) => ({
    file,
    target: normalize(join(dirname(file), target)),
  })).filter(({ target }) => roomOf(target) !== roomOf(file)),
);

const told = (list) => list.map(({ file, target }) => `${file} imports ${target}`);

test('no room looks past the door of another one', () => {
  const past = imports.filter(
    ({ file, target }) =>
      !builders.includes(roomOf(file)) && rooms.includes(roomOf(target)) && !target.endsWith('/interface.ts'),
  );
  assert.ok(imports.length > 100);
  assert.deepEqual(told(past), []);
});

test('a room knows only rooms to its right', () => {
  const backwards = imports.filter(({ file, target }) => order.indexOf(roomOf(target)) <= order.indexOf(roomOf(file)));
  assert.deepEqual(told(backwards), []);
});

test('src/ holds main.ts and the rooms, and CONTRIBUTING.md has a line for each of them', () => {
  assert.deepEqual(readdirSync(join(root, 'src')).sort(), [...order].sort());
  const lines = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|')[1]);
  const missing = order.filter((room) => !lines.some((line) => line.includes(`src/${room}`)));
  assert.deepEqual(missing, []);
});
