import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ConfigTree } from '../test/harness/detach-mta.ts';
import type { PostfixSettings } from '../test/harness/postfix-home.ts';
import { settingsIn } from '../test/harness/settings.ts';

/** What is laid over the usual configuration of the chain. */
export interface LabSettings {
  readonly name: string;
  readonly detach: ConfigTree;
  /** Of the Postfix that mail is sent to, and of Postfix B. */
  readonly a: PostfixSettings;
  readonly b: PostfixSettings;
}

const repository = join(import.meta.dirname, '..');
const folder = join(repository, 'lab/settings');

/**
 * A set by its name: `lab/settings/NAME.yaml` for Detach MTA, `postfix-a/tuning/NAME.cf` and `postfix-b/tuning/NAME.cf`
 * for the neighbours; a file that is not there changes nothing. @throws Error with the names that there are
 */
export function labSettings(name: string): LabSettings {
  const detach = join(folder, `${name}.yaml`);
  if (!/^[\w-]+$/.test(name) || !existsSync(detach)) {
    const names = readdirSync(folder).flatMap((file) => /^(.*)\.yaml$/.exec(file)?.[1] ?? []);
    throw new Error(`there is no lab/settings/${name}.yaml; there are: ${names.join(', ')}`);
  }
  const tree = parse(readFileSync(detach, 'utf8')) as ConfigTree | null;
  return { name, detach: tree ?? {}, a: neighbour('postfix-a', name), b: neighbour('postfix-b', name) };
}

function neighbour(side: 'postfix-a' | 'postfix-b', name: string): PostfixSettings {
  const file = `${side}/tuning/${name}.cf`;
  const path = join(repository, file);
  return existsSync(path) ? settingsIn(readFileSync(path, 'utf8'), file) : {};
}
