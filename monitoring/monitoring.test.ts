import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { configOf } from '../src/doctor/testing/neighbour-lab.ts';
import { showLimits } from '../src/observe/limits-meter.ts';
import { createMeter } from '../src/observe/meter.ts';
import { dashboard } from './dashboard.ts';

const read = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

const rules = (parse(read('alerts.yaml')) as Rules).groups.flatMap((group) => group.rules);

const ruleTests = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.yaml'));

/** Names of the series that /metrics has, without labels. */
async function seriesNames(): Promise<ReadonlySet<string>> {
  const { registry } = createMeter('c1');
  showLimits(registry, configOf());
  const text = await registry.metrics();
  return new Set([...text.matchAll(/^([a-z_]\w*)/gm)].map(([name]) => name));
}

/** What an expression of PromQL asks for. */
const asked = (expression: string): readonly string[] => expression.match(/\b(?:detach_mta|nodejs|process)_\w+/g) ?? [];

/** Labels that Prometheus adds, or our sums over processes. */
const added = ['instance', 'job', 'process'];

test('every query of the dashboard and of the alerts asks for a series that there is, by labels that it has', async () => {
  const names = await seriesNames();
  const text = await createMeter('c1').registry.metrics();
  const queries = [
    ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => String(expr))),
    ...rules.map(({ expr }) => expr),
  ];
  assert.ok(queries.length > 40);
  for (const query of queries) {
    for (const name of asked(query)) assert.ok(names.has(name), `${name} in ${query}`);
    for (const [, name = '', matchers = ''] of query.matchAll(/\b((?:detach_mta|nodejs|process)_\w+)\{([^}]*)\}/g))
      for (const [, label = ''] of matchers.matchAll(/(\w+)(?:=~|!~|!=|=)/g))
        assert.ok(
          added.includes(label) || new RegExp(`^${name}\\{[^}]*\\b${label}="`, 'm').test(text),
          `label ${label} of ${name}`,
        );
  }
});

test('every figure of ours is on the dashboard', async () => {
  const shown = new Set(
    dashboard.panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => asked(String(expr)))),
  );
  const ours = [...(await seriesNames())].filter(
    (name) => name.startsWith('detach_mta_') && !/_(?:count|sum)$/.test(name),
  );
  // A number of files beside their bytes says little.
  assert.deepEqual(
    ours.filter((name) => !shown.has(name)),
    ['detach_mta_stored_files'],
  );
});

test('dashboard.json is what dashboard.ts writes', () => {
  assert.deepEqual(JSON.parse(read('dashboard.json')), JSON.parse(JSON.stringify(dashboard)));
});

test('every alert has a heading in docs/operations.md that says what to do, and tests that fire and that do not', () => {
  const operations = read('../docs/operations.md');
  const tests = ruleTests.map(read).join('');
  const headings = [...operations.matchAll(/^### (DetachMta\w+)$/gm)].map(([, name]) => name);
  assert.deepEqual(headings.sort(), rules.map(({ alert }) => alert).sort());
  for (const { alert } of rules) {
    const section = operations.split(`### ${alert}\n`)[1]?.split(/^##/m)[0]?.trim() ?? '';
    assert.ok(section.length > 60, alert);
    assert.match(tests, new RegExp(`# ${alert} fires`));
    assert.match(tests, new RegExp(`# ${alert} is quiet`));
  }
});

test('the rules are right, fire and are quiet as their tests say', () => {
  for (const args of [
    ['check', 'rules', 'alerts.yaml'],
    ['test', 'rules', ...ruleTests],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: import.meta.dirname, encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  }
});
