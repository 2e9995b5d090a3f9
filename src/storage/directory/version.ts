import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Metadata } from '../blobs.ts';
import { hasCode } from '../../smtp/failures.ts';
import { NotARecord } from './fs-errors.ts';

/** One version of a record: a line of JSON, and after it the bytes of a small blob. */
export interface Version {
  /** Unique for ever; the next version is named after it. */
  readonly id: string;
  /** ms since 1970, by the clock of the process that wrote it. */
  readonly at: number;
  readonly metadata: Metadata;
  /** The blob was deleted. */
  readonly gone?: true;
  /** For a large blob: the name and size of the file with its bytes. */
  readonly content?: { readonly file: string; readonly size: number };
  readonly bytes: Buffer;
}

export type Draft = Omit<Version, 'id' | 'at'>;

const noBytes = Buffer.alloc(0);

export const tombstone: Draft = { metadata: {}, gone: true, bytes: noBytes };

/** A version with an id of its own. */
export const newVersion = (draft: Draft, at: number): Version => ({
  ...draft,
  id: randomBytes(9).toString('base64url'),
  at,
});

export function encodeVersion({ bytes, ...header }: Version): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify({ v: 1, ...header })}\n`), bytes]);
}

/** @throws NotARecord for what this version cannot read */
export function decodeVersion(encoded: Buffer): Version {
  const end = encoded.indexOf(0x0a);
  const header = end < 0 ? undefined : parseHeader(encoded.toString('utf8', 0, end));
  if (!isHeader(header)) throw new NotARecord();
  return { ...header, bytes: encoded.subarray(end + 1) };
}

function isHeader(value: unknown): value is Omit<Version, 'bytes'> {
  if (typeof value !== 'object' || value === null) return false;
  const { v, id, at, metadata, content } = value as Record<string, unknown>;
  return (
    v === 1 &&
    typeof id === 'string' &&
    typeof at === 'number' &&
    isMetadata(metadata) &&
    (content === undefined || isContent(content))
  );
}

const isMetadata = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'string');

const isContent = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'file' in value &&
  typeof value.file === 'string' &&
  'size' in value &&
  typeof value.size === 'number';

/** The text may be anybody's: what is wrong with it is not said. */
function parseHeader(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The version in a file, and the file itself, open; undefined when there is none. */
export async function openVersion(
  path: string,
): Promise<{ readonly version: Version; readonly handle: FileHandle } | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    return { version: decodeVersion(await handle.readFile()), handle };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
