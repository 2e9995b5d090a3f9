import { readFileSync } from 'node:fs';
import convict from 'convict';
import { codeOf } from '../smtp/failures.ts';
import { checkConfig } from './checks.ts';
import { ConfigError, type Problem } from './config-error.ts';
import { type FileValues, readConfigFile } from './config-file.ts';
import type { Config } from './config.ts';
import { FormatError } from './format.ts';
import { envName, fileVariant, Key, leaves, type Resolved, type Tree } from './key.ts';
import { schema } from './schema.ts';
import { suggest } from './suggest.ts';

export interface ConfigSources {
  /** YAML file; without it, the environment must set every key that has no default. */
  readonly file?: string | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
}

type Values = Record<string, unknown>;

// convict would read strings by the type of their default (`1MiB` as 1) and report errors as one text. Here it merges
// defaults, file and environment; each value is then parsed by the format that its key declares.
convict.addFormat({ name: 'declared', validate: () => undefined, coerce: (value: unknown) => value });

/**
 * Reads the configuration: environment over file over defaults.
 * @throws ConfigError with everything that is wrong with it
 */
export function loadConfig({ file, env = process.env }: ConfigSources): Config {
  if (file === undefined && !Object.keys(env).some((name) => name.startsWith('DETACH_'))) {
    const message = 'there is none: name its file with --config FILE, or set DETACH_… variables';
    throw new ConfigError([{ subject: 'configuration', message }]);
  }
  const fromFile: FileValues =
    file === undefined ? { values: {}, places: new Map(), problems: [] } : readConfigFile(file, schema);
  const merged = convict<Values>(toConvict(schema) as convict.Schema<Values>, { env, args: [] })
    .load(fromFile.values)
    .getProperties();
  const problems = [...fromFile.problems, ...unknownVariables(env)];
  const values: Values = {};
  const failed = new Set(problems.map(({ subject }) => subject));
  const following: (readonly [path: string, derive: (others: Config) => unknown])[] = [];
  for (const [path, key] of leaves(schema)) {
    if (failed.has(path)) continue;
    if (key.default.kind === 'follows' && isUnset(getIn(merged, path))) {
      following.push([path, key.default.derive]);
      continue;
    }
    try {
      setIn(values, { path, value: parseValue(merged, { path, key }) });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      failed.add(path);
      const variable = [path, fileVariant(path)].map(envName).find((name) => env[name] !== undefined);
      const where = variable ?? fromFile.places.get(path) ?? fromFile.places.get(fileVariant(path));
      problems.push(...error.problems.map((message) => ({ subject: path, message, where })));
    }
  }
  const config: Config = values as Resolved<typeof schema>;
  for (const [path, derive] of following) {
    if (failed.size > 0) failed.add(path);
    else setIn(values, { path, value: derive(config) });
  }
  problems.push(...checkConfig(config, failed));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** The schema as convict declares one. A secret gets a twin that names a file. */
function toConvict(tree: Tree, prefix = ''): Values {
  const result: Values = {};
  for (const [name, node] of Object.entries(tree)) {
    const path = prefix + name;
    if (!(node instanceof Key)) {
      result[name] = toConvict(node, `${path}.`);
      continue;
    }
    const { default: fallback, doc } = node;
    const value = fallback.kind === 'value' ? fallback.value : fallback.kind === 'derived' ? fallback.derive() : null;
    const sensitive = node.format.secret;
    result[name] = { format: 'declared', default: value, doc, env: envName(path), sensitive };
    if (sensitive) {
      const twin = fileVariant(path);
      result[fileVariant(name)] = { format: 'declared', default: null, doc, env: envName(twin) };
    }
  }
  return result;
}

/** @throws FormatError */
function parseValue(merged: Values, { path, key }: { readonly path: string; readonly key: Key<unknown> }): unknown {
  let raw = getIn(merged, path);
  if (key.format.secret) {
    const file = getIn(merged, fileVariant(path));
    if (file !== null) {
      if (raw !== null) throw new FormatError(`is set, and so is ${fileVariant(path)}: one of them must go`);
      raw = readSecret(file, fileVariant(path));
    }
  }
  if (key.default.kind === 'required' && isEmpty(raw)) {
    const { unless } = key.default;
    if (unless && getIn(merged, unless.key) === unless.is) return unless.value;
  }
  if (raw === null && key.default.kind === 'required') {
    const file = key.format.secret ? `, or name a file in ${fileVariant(path)}` : '';
    throw new FormatError(`is missing: set it in the file or as ${envName(path)}${file}`);
  }
  return key.format.parse(raw);
}

/** The content of a secret's file: a list has an entry per line. */
function readSecret(file: unknown, path: string): string {
  if (typeof file !== 'string') throw new FormatError(`${path} must be a path`);
  try {
    return readFileSync(file, 'utf8')
      .trim()
      .split(/\s*\n\s*/)
      .join(',');
  } catch (error) {
    const code = codeOf(error);
    const advice = code === 'EACCES' ? ': run this as root, or let the group of the service read it' : '';
    throw new FormatError(`${path} cannot be read (${code})${advice}`);
  }
}

const isEmpty = (raw: unknown): boolean => isUnset(raw) || (Array.isArray(raw) && raw.length === 0);

const isUnset = (raw: unknown): boolean => raw === null || raw === '';

function unknownVariables(env: NodeJS.ProcessEnv): readonly Problem[] {
  const known = [...leaves(schema)].flatMap(([path, key]) =>
    (key.format.secret ? [path, fileVariant(path)] : [path]).map(envName),
  );
  return Object.keys(env)
    .filter((name) => name.startsWith('DETACH_') && !known.includes(name))
    .map((name) => {
      const guess = suggest(name, known);
      return { subject: name, message: `unknown variable${guess === undefined ? '' : `, did you mean ${guess}?`}` };
    });
}

function getIn(values: Values, path: string): unknown {
  return path.split('.').reduce<unknown>((group, name) => (group as Values)[name], values);
}

function setIn(values: Values, { path, value }: { readonly path: string; readonly value: unknown }): void {
  const names = path.split('.');
  const last = names.pop()!;
  const group = names.reduce((parent, name) => (parent[name] ??= {}) as Values, values);
  group[last] = value;
}
