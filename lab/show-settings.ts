import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { ConfigTree, DetachInstance } from '../test/harness/detach-mta.ts';
import type { PostfixSettings } from '../test/harness/postfix-home.ts';
import { run } from '../test/harness/process.ts';
import type { LabChain } from './chain.ts';
import { repository } from './places.ts';
import type { Preset } from './preset.ts';
import type { LabSettings } from './settings.ts';
import { dim, heading, row } from './terminal.ts';

/** Shows what a set changes: the value that the chain has otherwise, and the one that is in force. */
export async function showSettings(settings: LabSettings, preset: Preset, chain: LabChain): Promise<void> {
  heading(`Settings "${settings.name}": what differs from the defaults`);
  show('Detach MTA', await detachDifferences(settings.detach, chain.detach));
  show(preset.front, await postfixDifferences(settings.a, preset.configurations[0], chain.a.config));
  const [, second] = preset.configurations;
  if (chain.b && second) show('Postfix B', await postfixDifferences(settings.b, second, chain.b.config));
}

type Differences = readonly (readonly [key: string, usual: string, now: string])[];

function show(server: string, differences: Differences): void {
  differences.forEach(([key, usual, now], index) =>
    row(index === 0 ? server : '', `${key.padEnd(48)} ${dim(`${usual} →`)} ${now}`),
  );
}

/** Asks the program itself, with these keys and without them. */
async function detachDifferences(keys: ConfigTree, detach: DetachInstance): Promise<Differences> {
  const usual = join(detach.home, 'usual.yaml');
  writeFileSync(usual, stringify(without(detach.config, keys)), { mode: 0o600 });
  const [before, now] = [await effective(usual), await effective(detach.configFile)];
  return leaves(keys)
    .map((key) => [key, before.get(key) ?? '', now.get(key) ?? ''] as const)
    .filter(changed);
}

async function effective(file: string): Promise<ReadonlyMap<string, string>> {
  const text = await run(process.execPath, [join(repository, 'dist/main.js'), 'config', '--config', file]);
  const tree = parse(text) as ConfigTree;
  return new Map(leaves(tree).map((key) => [key, String(at(tree, key))]));
}

async function postfixDifferences(settings: PostfixSettings, usual: string, config: string): Promise<Differences> {
  const keys = Object.keys(settings);
  const value = async (directory: string, key: string): Promise<string> =>
    (await run('postconf', ['-c', directory, '-x', '-h', key])).trim();
  const all = keys.map(
    async (key) => [key, await value(join(repository, usual), key), await value(config, key)] as const,
  );
  return (await Promise.all(all)).filter(changed);
}

const changed = ([, usual, now]: readonly [string, string, string]): boolean => usual !== now;

/** Names of all values below, with dots: `inbound.maxClients`. */
function leaves(tree: ConfigTree, path = ''): string[] {
  return Object.entries(tree).flatMap(([name, value]) =>
    isTree(value) ? leaves(value, `${path}${name}.`) : [`${path}${name}`],
  );
}

function at(tree: ConfigTree, key: string): unknown {
  return key.split('.').reduce<unknown>((place, name) => (place as Record<string, unknown>)[name], tree);
}

/** A copy without the keys that another tree has. */
function without(tree: ConfigTree, keys: ConfigTree): ConfigTree {
  const kept = Object.entries(tree).flatMap(([name, value]) => {
    const other = keys[name];
    if (other === undefined) return [[name, value] as const];
    return isTree(value) && isTree(other) ? [[name, without(value, other)] as const] : [];
  });
  return Object.fromEntries(kept);
}

function isTree(value: unknown): value is ConfigTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
