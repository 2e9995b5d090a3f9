import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandNames, loadCommand } from './all-commands.ts';

const root = join(import.meta.dirname, '../..');
const docs = readdirSync(join(root, 'docs')).map((name) => join('docs', name));
const pages = ['README.md', ...docs].filter((path) => path.endsWith('.md'));

interface Shown {
  readonly path: string;
  readonly name: string;
  readonly option: string;
}

/** Options of commands as somebody would type them: after the program's name, or in backticks. */
function optionsIn(path: string): readonly Shown[] {
  const typed = new RegExp(`(?:detach-mta |main\\.js |\`)(${commandNames.join('|')})\\b([^\`|\\n]*)`, 'g');
  const page = readFileSync(join(root, path), 'utf8').replaceAll('\\\n', ' ');
  return Array.from(page.matchAll(typed)).flatMap(([, name = '', words = '']) =>
    Array.from(words.replace(/\s#.*/, '').matchAll(/(?<=\s)--[a-z][\w-]*/g), ([option]) => ({ path, name, option })),
  );
}

test('the commands that the documentation shows have the options that it shows', async () => {
  const shown = pages.flatMap(optionsIn);
  assert.ok(shown.length > 40, `${shown.length} options`);
  for (const { path, name, option } of shown) {
    const help = (await loadCommand(name))?.help ?? '';
    assert.ok(new RegExp(`^ *${option}\\b`, 'm').test(help), `${path}: ${name} ${option}`);
  }
});
