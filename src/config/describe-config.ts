import type { Config } from './config.ts';
import type { Printed } from './format.ts';
import { Key, type Tree } from './key.ts';
import { schema } from './schema.ts';

export type Description = { readonly [name: string]: Printed | Description };

/** The effective values as plain data in the form of the configuration file, secrets masked: for people and logs. */
export function describeConfig(config: Config): Description {
  return describeGroup(schema, config as unknown as Readonly<Record<string, unknown>>);
}

function describeGroup(tree: Tree, values: Readonly<Record<string, unknown>>): Description {
  const entries = Object.entries(tree).map(([name, node]) => {
    const value = values[name];
    return [
      name,
      node instanceof Key ? node.format.print(value) : describeGroup(node, value as Readonly<Record<string, unknown>>),
    ] as const;
  });
  return Object.fromEntries(entries);
}
