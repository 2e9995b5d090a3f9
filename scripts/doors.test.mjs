// The lint rules that keep the rooms of `src/` apart, and the line that CONTRIBUTING.md has for each of them.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Linter } from 'eslint';
import { doorRules, order, rooms } from './rooms.mjs';

const root = join(import.meta.dirname, '..');

/** What the rule of a room says of an import in one of its files. */
function said(room, target, statement = `import '${target}';`) {
  return new Linter().verify(statement, { rules: doorRules(room) }).map(({ message }) => message);
}

test('no room looks past the door of another one', () => {
  for (const room of rooms)
    for (const other of rooms.slice(rooms.indexOf(room) + 1)) {
      assert.deepEqual(said(room, `../${other}/interface.ts`), []);
      assert.match(said(room, `../${other}/part.ts`).join(), /stands in its interface/);
      assert.match(said(room, `../../${other}/deep/part.ts`).join(), /stands in its interface/);
    }
});

test('nor by import()', () => {
  const dynamic = (room, target) => said(room, target, `export const x = () => import('${target}');`);
  assert.match(dynamic('detach', '../storage/part.ts').join(), /stands in its interface/);
  assert.match(dynamic('detach', '../inbound/interface.ts').join(), /only rooms to its right/);
  assert.deepEqual(dynamic('detach', '../storage/interface.ts'), []);
  assert.deepEqual(dynamic('detach', '@azure/identity'), []);
});

test('a room knows only rooms to its right', () => {
  for (const room of order.slice(1))
    for (const other of order.slice(1)) {
      const message = said(room, `../${other}/interface.ts`).join();
      if (order.indexOf(other) < order.indexOf(room)) assert.match(message, /only rooms to its right/);
      else assert.equal(message, '');
    }
});

test('those that put the rooms together may import any file, and all may import vocabulary', () => {
  assert.deepEqual(said('course', '../storage/part.ts'), []);
  assert.deepEqual(said('inbound', '../../smtp/reply.ts'), []);
  assert.deepEqual(said('storage', './directory/part.ts'), []);
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
