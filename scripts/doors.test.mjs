// Rooms of `src/` know each other through `interface.ts` alone, so that what is behind it can change. What is vocabulary
// is open to all; what puts the rooms together knows them all.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const vocabulary = ['smtp', 'message', 'config', 'limits', 'runtime'];
const builders = ['main.ts', 'commands', 'course', 'service'];

const roomOf = (path) => path.split('/')[1];

test('no room looks past the door of another one', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true })
    .map((file) => join('src', file))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('/testing/'));
  const past = files
    .filter((file) => !builders.includes(roomOf(file)))
    .flatMap((file) => {
      const imports = readFileSync(join(root, file), 'utf8').matchAll(/from '(\.[^']+)'/g);
      return Array.from(imports, ([, target]) => normalize(join(dirname(file), target)))
        .filter((target) => roomOf(target) !== roomOf(file) && !vocabulary.includes(roomOf(target)))
        .filter((target) => !target.endsWith('/interface.ts'))
        .map((target) => `${file} imports ${target}`);
    });
  assert.ok(files.length > 100);
  assert.deepEqual(past, []);
});

test('no loose files in src/ but main.ts', () => {
  const loose = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isFile());
  assert.deepEqual(
    loose.map(({ name }) => name),
    ['main.ts'],
  );
});
