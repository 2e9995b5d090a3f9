/** Who listens on which TCP port of this machine, as proc(5) says. */
import { readdir, readFile, readlink } from 'node:fs/promises';

export interface ListeningPort {
  /** `0.0.0.0`, `127.0.0.1`, `::`, or an address of IPv6 as 32 hex digits. */
  readonly address: string;
  readonly port: number;
  readonly uid: number;
  /** Who holds it; undefined where we may not look. */
  readonly owner: { readonly pid: number; readonly command: string } | undefined;
}

interface Row extends Omit<ListeningPort, 'owner'> {
  readonly inode: string;
}

const listenState = '0A';

/** Root sees the owners of all; others see their own. */
export async function readListeningPorts(): Promise<readonly ListeningPort[]> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readOr(`/proc/net/${name}`)));
  const rows = tables.flatMap(parseTable);
  const owners = await ownersOf(new Set(rows.map(({ inode }) => inode)));
  return rows.map(({ inode, ...row }) => ({ ...row, owner: owners.get(inode) }));
}

function parseTable(text: string): readonly Row[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local = '', , state, , , , uid, , inode] = fields;
    const [address = '', port = ''] = local.split(':');
    if (state !== listenState || inode === undefined) return [];
    return [{ address: readAddress(address), port: Number.parseInt(port, 16), uid: Number(uid), inode }];
  });
}

/** Each word of four bytes is written with its last byte first. */
function readAddress(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => [...Buffer.from(word, 'hex')].reverse());
  if (bytes.length === 4) return bytes.join('.');
  return bytes.every((byte) => byte === 0) ? '::' : Buffer.from(bytes).toString('hex');
}

type Owners = Map<string, NonNullable<ListeningPort['owner']>>;

async function ownersOf(inodes: ReadonlySet<string>): Promise<Owners> {
  const owners: Owners = new Map();
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const held = (await socketsOf(pid)).filter((inode) => inodes.has(inode) && !owners.has(inode));
    if (held.length === 0) continue;
    const command = (await readOr(`/proc/${pid}/cmdline`)).replaceAll('\0', ' ').trim();
    for (const inode of held) owners.set(inode, { pid: Number(pid), command });
  }
  return owners;
}

async function socketsOf(pid: string): Promise<readonly string[]> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
}

const readOr = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
