/** Parameters in a file: how the sets in `postfix-a/tuning` and `postfix-b/tuning` are laid over a main.cf. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ConfigTree } from './detach-mta.ts';
import type { PostfixSettings } from './postfix-home.ts';

const repository = join(import.meta.dirname, '../..');

/** The sets of docs/tuning.md. */
export const settingsNames = ['small-office', 'university', 'provider'] as const;

export type SettingsName = (typeof settingsNames)[number];

/** One `name = value` a line. With `tls`, the lines about TLS that are comments count too. */
export function readSettings(
  side: 'postfix-a' | 'postfix-b',
  name: SettingsName,
  { tls = false }: { readonly tls?: boolean } = {},
): PostfixSettings {
  const text = readFileSync(join(repository, side, 'tuning', `${name}.cf`), 'utf8');
  const shown = tls ? text.replace(/^#(?=smtpd?_tls_)/gm, '') : text;
  return settingsIn(shown, `${side}/tuning/${name}.cf`);
}

/** @throws Error naming the file with the line that is no setting */
export function settingsIn(text: string, file: string): PostfixSettings {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const [, key, value] = /^(\w+) = (\S.*)$/.exec(line) ?? [];
      if (key === undefined || value === undefined) throw new Error(`${file}: ${line}`);
      return [key, value];
    }),
  );
}

/** The keys of Detach MTA that go with them. */
export const readDetachSettings = (name: SettingsName): ConfigTree =>
  parse(readFileSync(join(repository, 'lab/settings', `${name}.yaml`), 'utf8')) as ConfigTree;
