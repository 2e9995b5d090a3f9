import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigError } from './config-error.ts';
import { loadConfig } from './load-config.ts';

/**
 * Each file of test/fixtures/config is one broken configuration. Its first lines say what goes with it: `# error LINE` is a line
 * that must come out (all of them, in that order), `# env NAME=value` sets a variable, `# unset NAME` takes one of these
 * away, which stand for what has no default:
 */
const environment = {
  DETACH_OUTBOUND_NEXT_HOP: '127.0.0.1:10026',
  DETACH_LOOPGUARD_CLUSTER: 'test',
  DETACH_LOOPGUARD_KEYS: `k1:HUSH${'+'.repeat(39)}=`,
  DETACH_STORAGE_CONNECTION_STRING:
    'DefaultEndpointsProtocol=https;AccountName=test;AccountKey=HUSH;EndpointSuffix=example.net',
  DETACH_LINKS_BASE_URL: 'https://files.example.com',
  DETACH_LINKS_SECRET: `HUSH${'+'.repeat(39)}=`,
};

/** What `testdata/` stands for in the files. */
const folder = join(import.meta.dirname, '../../test/fixtures/config');

function load(file: string): readonly string[] {
  const path = join(folder, file);
  const source = readFileSync(path, 'utf8');
  const env = new Map(Object.entries(environment));
  for (const [, name = '', value] of source.matchAll(/^# (?:env|unset) ([A-Z_]+)(?:=(.*))?$/gm)) {
    if (value === undefined) env.delete(name);
    else env.set(name, value.replace('testdata/', `${folder}/`));
  }
  try {
    loadConfig({ file: path, env: Object.fromEntries(env) });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.lines.map((line) => line.replaceAll(folder, 'testdata'));
  }
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
  test(`broken configuration: ${file}`, () => {
    const source = readFileSync(join(folder, file), 'utf8');
    const expected = [...source.matchAll(/^# error (.*)$/gm)].map(([, line]) => line);
    const lines = load(file);
    assert.deepEqual(lines, expected);
    assert.notEqual(lines.length, 0);
    for (const line of lines) assert.doesNotMatch(line, /HUSH/);
  });
}
