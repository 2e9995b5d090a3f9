import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

test('docs/detaching.md speaks of reasons that there are', () => {
  const here = import.meta.dirname;
  const page = readFileSync(join(here, '../../docs/detaching.md'), 'utf8');
  const reasons = Array.from(page.matchAll(/^\| `(.*?)` /gm), ([, reason]) => reason!);
  assert.ok(reasons.length > 25);
  const sources = [here, join(here, 'mime'), join(here, 'encoding')].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  );
  for (const reason of reasons)
    assert.ok(
      sources.some((source) => source.includes(`'${reason}'`)),
      reason,
    );
});
