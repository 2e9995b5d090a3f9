import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

test('docs/detaching.md speaks of reasons that there are', () => {
  const page = readFileSync(new URL('../../docs/detaching.md', import.meta.url), 'utf8');
  const reasons = Array.from(page.matchAll(/^\| `(.*?)` /gm), ([, reason]) => reason!);
  assert.ok(reasons.length > 25);
  const folders = [new URL('./', import.meta.url), new URL('mime/', import.meta.url)];
  const sources = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(new URL(name, folder), 'utf8')),
  );
  for (const reason of reasons)
    assert.ok(
      sources.some((source) => source.includes(`'${reason}'`)),
      reason,
    );
});
