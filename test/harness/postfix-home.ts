import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { run } from './process.ts';
import { systemGroup, systemUser } from './system-user.ts';

export type PostfixSettings = Readonly<Record<string, string | number>>;

const repository = join(import.meta.dirname, '../..');

/** Copies main.cf, master.cf and tables, but not the variants in folders beside them. */
export function copyConfiguration(from: string, to: string): void {
  const source = join(repository, from);
  for (const name of readdirSync(source)) {
    if (statSync(join(source, name)).isFile()) cpSync(join(source, name), join(to, name));
  }
}

/** Moves the listeners of a master.cf to ports of one address: wanted ones by the listener's name, else free ones. */
export async function placeListeners(
  master: string,
  { host, wanted }: { readonly host: string; readonly wanted: Readonly<Record<string, number>> },
): Promise<{ text: string; ports: Map<string, number> }> {
  const ports = new Map<string, number>();
  const lines: string[] = [];
  for (const line of master.split('\n')) {
    const [, name, rest] = /^([^\s#]+)(\s+inet\s.*)$/.exec(line) ?? [];
    if (name === undefined || rest === undefined) {
      lines.push(line);
      continue;
    }
    const port = wanted[name] ?? (await freePort());
    ports.set(name, port);
    lines.push(`${host}:${port}${rest}`);
  }
  return { text: lines.join('\n'), ports };
}

export async function writeSettings(config: string, settings: PostfixSettings): Promise<void> {
  const pairs = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  if (pairs.length > 0) await run('postconf', ['-c', config, '-e', ...pairs]);
  makeCold(join(config, 'main.cf'));
}

/**
 * Makes a file look a minute old. A Postfix program that reads a file changed within the last second waits, in case it
 * is still being written.
 */
export function makeCold(file: string): void {
  const past = Date.now() / 1000 - 60;
  utimesSync(file, past, past);
}

/**
 * The directories that Postfix expects in a queue, with the owners and modes that its own list names. `postfix check`
 * does the same and more, but takes seconds.
 */
export function makeQueueDirectories(home: string): void {
  const owner = systemUser('postfix');
  const data = join(home, 'data');
  mkdirSync(data, { recursive: true });
  chownSync(data, owner.uid, owner.gid);
  for (const line of readFileSync('/etc/postfix/postfix-files', 'utf8').split('\n')) {
    const [path = '', type, user, group, mode = ''] = line.split(':');
    if (!path.startsWith('$queue_directory') || type !== 'd') continue;
    const directory = path.replace('$queue_directory', join(home, 'queue'));
    mkdirSync(directory, { recursive: true });
    const gid = group === '$setgid_group' ? systemGroup('postdrop') : 0;
    chownSync(directory, user === '$mail_owner' ? owner.uid : 0, gid);
    chmodSync(directory, Number.parseInt(mode, 8));
  }
}
