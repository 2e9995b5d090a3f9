/**
 * Where blobs lie below `storage.directory`. Each kind has a folder, and in it folders by the first characters of the
 * name, 4096 at most, so that a million blobs make folders of a few hundred files.
 *
 * | blob                         | file                                      | | ---------------------------- |
 * ----------------------------------------- | | `links/<token>`              | `links/<2 of token>/<token>`
 * | | `index/file/<sha256>/<token>`| `index/file/<3 of sha256>/<sha256>~<token>` | | `files/<sha256>`             |
 * `files/<3 of sha256>/<sha256>`: bytes alone; `states/<3 of sha256>/<sha256>`: the rest |
 *
 * The next version of a file stands beside it until it replaces the file; its name has a dot.
 */
import { join } from 'node:path';

export const filesFolder = 'files';
export const statesFolder = 'states';
/** What is being written: drafts of records, and uploads of files. */
export const draftsFolder = 'tmp';
/** Divides the segments of an index entry. */
const divider = '~';

/** The folders that hold folders of blobs. */
export const kindFolders = [
  filesFolder,
  statesFolder,
  'links',
  'messages',
  'pages',
  ...['complete', 'erasing', 'file', 'message', 'sender', 'transaction'].map((by) => `index/${by}`),
] as const;

/** May be missing in a directory that an older version has prepared. */
export const laterFolders: ReadonlySet<string> = new Set(['index/erasing']);

export interface Place {
  /** Below the directory: `links/ab`. */
  readonly folder: string;
  readonly file: string;
}

export const pathOf = ({ folder, file }: Place): string => join(folder, file);

/** Where the record of a blob lies. @throws TypeError for what is no name of a blob */
export function placeOf(name: string): Place {
  if (!/^[\w-]+(?:\/[\w-]+){1,3}$/.test(name)) throw new TypeError('not the name of a blob');
  const { kind, rest } = splitKind(name);
  return { folder: join(folderOf(kind), shardOf(rest)), file: rest.replaceAll('/', divider) };
}

/** The name of the blob whose record is that file of a shard. */
export function nameOf(kind: string, file: string): string {
  return `${kind}/${file.replaceAll(divider, '/')}`;
}

/** Other programs leave files too, such as `.nfs0001` and `lost+found`: these are not ours to read or to delete. */
export const isShard = (name: string): boolean => /^[\w~-]{2,3}$/.test(name);
export const isRecord = (file: string): boolean => /^[\w~-]+$/.test(file);
export const isLaterVersion = (file: string): boolean => /^[\w~-]+\.[\w-]+$/.test(file);
export const isContent = (file: string): boolean => /^[0-9a-f]{64}(?:\.[\w-]+)?$/.test(file);

export interface Search {
  readonly kind: string;
  /** Of the kind, below the directory. */
  readonly folder: string;
  /** The one shard that can hold it; undefined: any. */
  readonly shard: string | undefined;
  /** Prefix of the file's name. */
  readonly begins: string;
}

/** Where blobs with this prefix are; several places when the prefix is shorter than a kind. */
export function searchesFor(prefix: string): readonly Search[] {
  const kinds = kindFolders.filter((folder) => folder !== statesFolder);
  return kinds
    .filter((kind) => prefix.startsWith(`${kind}/`) || `${kind}/`.startsWith(prefix))
    .sort()
    .map((kind) => {
      const rest = prefix.slice(kind.length + 1);
      const shard = rest.length < shardLength(kind) ? undefined : shardOf(rest);
      return { kind, folder: folderOf(kind), shard, begins: rest.replaceAll('/', divider) };
    });
}

/** The record of a file lies beside its bytes, in a folder of its own. */
const folderOf = (kind: string): string => (kind === filesFolder ? statesFolder : kind);

function splitKind(name: string): { readonly kind: string; readonly rest: string } {
  const end = name.startsWith('index/') ? name.indexOf('/', 'index/'.length) : name.indexOf('/');
  return { kind: name.slice(0, end), rest: name.slice(end + 1) };
}

/** Hex has 16 characters, base64url 64: three of the one and two of the other make 4096 folders. */
const shardLength = (kind: string): number => (kind === filesFolder || kind === 'index/file' ? 3 : 2);

const isHash = /^[0-9a-f]{64}/;
const shardOf = (rest: string): string => rest.slice(0, isHash.test(rest) ? 3 : 2).replaceAll('/', divider);
