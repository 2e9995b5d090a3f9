import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { renderReference } from './reference.ts';
import { schema } from './schema.ts';

const source = join(import.meta.dirname, '..');
const page = (name: string): string => readFileSync(join(source, '../docs', name), 'utf8');

const units: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 * 1024, s: 1000 };

interface Row {
  /** A key of the configuration, or a file and a name in it. */
  readonly name: string;
  readonly value: string;
}

/** The rows of a table of limits: what, name, value, what happens. */
function rowsOf(text: string): Row[] {
  const section = /^## Limits\n(.*?)^## /ms.exec(text)?.[1] ?? '';
  return Array.from(section.matchAll(/^\|[^|]+\| `([^`|]+)`\s*\|([^|]*)\|[^|]+\|$/gm), ([, name, value]) => ({
    name: name!,
    value: value!.trim(),
  }));
}

/** `64 KiB` as 65536, `5 s` in milliseconds. */
function numberOf(value: string): number {
  const [, digits, unit] = /^([\d,]+) ?(KiB|MiB|s|)$/.exec(value) ?? [];
  assert.ok(digits !== undefined, `"${value}" is no value`);
  return Number(digits.replaceAll(',', '')) * units[unit!]!;
}

/** What the source says: a number, or a product of numbers. */
function inSource(file: string, name: string): number {
  const text = readFileSync(join(source, file), 'utf8');
  const found = new RegExp(`\\b${name}(?: =|:)(?: \\{ most:)? ([\\d_ *]+(?:seconds)?)[,;\\n]`).exec(text)?.[1];
  assert.ok(found !== undefined, `${file} has no ${name}`);
  return found
    .split('*')
    .reduce((product, factor) => product * Number(factor.trim().replace('seconds', '1000').replaceAll('_', '')), 1);
}

for (const name of ['operations.md', 'detaching.md'])
  test(`docs/${name} names limits as they are`, () => {
    const rows = rowsOf(page(name));
    assert.ok(rows.length >= 14, `${rows.length} rows`);
    const reference = renderReference(schema);
    for (const { name: limit, value } of rows) {
      const [file, constant] = limit.split(': ');
      if (constant === undefined) assert.ok(reference.includes(`### ${limit}\n`), `${limit} is no key`);
      else assert.equal(numberOf(value), inSource(file!, constant), limit);
    }
  });

test('docs/operations.md names every limit of the pages', () => {
  const text = readFileSync(join(source, 'links/limits.ts'), 'utf8');
  const block = /defaultLimits: Limits = (\{.*?\});/s.exec(text)![1]!;
  const names = Object.keys(parse(block.replaceAll('_', '')) as object);
  const told = rowsOf(page('operations.md')).map(({ name }) => name);
  const untold = names.filter((name) => !told.includes(`links/limits.ts: ${name}`));
  assert.deepEqual(untold, ['sharePerClient', 'remembered', 'rememberMs']);
});
