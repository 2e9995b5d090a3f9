import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathOf, placeOf } from '../../src/storage/directory/layout.ts';
import { encodeVersion } from '../../src/storage/directory/version.ts';
import { type MadeUpBlob, madeUpMessage, messagesPerFile } from './made-up.ts';

export interface Filling {
  readonly links: number;
  /** ms since 1970 */
  readonly now: number;
  readonly progress: (links: number) => void;
}

/** What one process writes: the links from the first to before the last. */
export interface Part {
  readonly root: string;
  readonly from: number;
  readonly to: number;
  readonly now: number;
}

/** Processes that fill a directory: they wait for the disk more than for a processor. */
const processes = 4;
const progressEvery = 10_000;

/** Fills a directory by several processes, without flushing each record to the disk. */
export async function fillDirectory(root: string, { links, now, progress }: Filling): Promise<void> {
  // Messages that share a file stay together, since their first one writes it.
  const share = Math.ceil(links / processes / messagesPerFile) * messagesPerFile;
  let made = 0;
  const fill = async (from: number): Promise<void> => {
    const part: Part = { root, from, to: Math.min(links, from + share), now };
    const child = fork(join(import.meta.dirname, 'fill-part.ts'), [JSON.stringify(part)]);
    child.on('message', (count) => progress((made += Number(count))));
    const [status] = (await once(child, 'exit')) as [number | null];
    if (status !== 0) throw new Error(`filling the links from ${from} ended with status ${status}`);
  };
  const starts = Array.from({ length: processes }, (_, i) => i * share).filter((from) => from < links);
  await Promise.all(starts.map(fill));
}

/** Writes the records directly, in the layout of the store. */
export function fillPart({ root, from, to, now }: Part, progress: (more: number) => void): void {
  const write = writer(root, now - 3 * 86_400_000);
  for (let i = from; i < to; i++) {
    for (const blob of madeUpMessage(i, now)) write(blob, i.toString(36));
    if ((i + 1 - from) % progressEvery === 0) progress(progressEvery);
  }
}

function writer(root: string, at: number): (blob: MadeUpBlob, id: string) => void {
  const known = new Set<string>();
  const writeFile = (path: string, bytes: Buffer): void => {
    const folder = dirname(path);
    if (!known.has(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
    known.add(folder);
    writeFileSync(path, bytes, { mode: 0o600 });
  };
  return ({ name, content, metadata }, id) => {
    const place = placeOf(name);
    const version = { id: `v${id}`, at, metadata };
    const isFile = name.startsWith('files/');
    if (isFile) writeFile(join(root, 'files', place.folder.slice(-3), place.file), content);
    const own = isFile
      ? { ...version, content: { file: place.file, size: content.length }, bytes: Buffer.alloc(0) }
      : { ...version, bytes: content };
    writeFile(join(root, pathOf(place)), encodeVersion(own));
  };
}
