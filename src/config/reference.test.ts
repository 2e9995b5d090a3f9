import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { envName, leaves } from './key.ts';
import { loadConfig } from './load-config.ts';
import { renderReference } from './reference.ts';
import { schema } from './schema.ts';

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

test('the reference page is what the schema says', () => {
  const differing = renderReference(schema)
    .split('\n')
    .filter((line) => !page.split('\n').includes(line));
  assert.deepEqual(differing, [], 'npx tsx src/config/print-reference.ts > docs/configuration.md');
  assert.ok(page === renderReference(schema), 'npx tsx src/config/print-reference.ts > docs/configuration.md');
});

test('every key has its section, and every section its key', () => {
  const headings = [...page.matchAll(/^### (.*)$/gm)].map(([, path]) => path);
  assert.deepEqual(
    headings,
    [...leaves(schema)].map(([path]) => path),
  );
});

test('every declaration says what the key does and why its default is what it is', () => {
  for (const [path, { doc, why, format }] of leaves(schema)) {
    for (const sentence of [doc, why]) assert.match(sentence, /^[`A-Z0-9].*\.$|makes one\.$/s, path);
    assert.notEqual(format.label, '', path);
  }
});

test('every default is a value that its own key accepts', () => {
  for (const [path, key] of leaves(schema)) {
    if (key.default.kind === 'value') {
      const value = key.format.parse(key.default.value);
      assert.deepEqual(key.format.parse(key.format.print(value)), value, path);
    }
    if (key.default.kind === 'derived') assert.equal(key.format.parse(key.default.derive()), key.default.derive());
  }
});

test('no two keys share an environment variable', () => {
  const names = [...leaves(schema)].map(([path]) => envName(path));
  assert.equal(new Set(names).size, names.length);
});

test('the example of the page is complete', () => {
  const example = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? '';
  const given = parse(example) as Record<string, Record<string, unknown>>;
  const env = Object.fromEntries(
    Object.entries(given).flatMap(([group, keys]) =>
      Object.entries(keys)
        .filter(([name]) => !name.endsWith('File'))
        .map(([name, value]) => [envName(`${group}.${name}`), String(value)]),
    ),
  );
  const secrets = { DETACH_LOOPGUARD_KEYS: `k1:${'A'.repeat(43)}=`, DETACH_LINKS_SECRET: 'A'.repeat(22) };
  assert.equal(loadConfig({ env: { ...env, ...secrets } }).links.baseUrl, 'https://files.example.com');
});
