import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Blobs } from '../../src/storage/blobs.ts';
import { pathOf, placeOf } from '../../src/storage/directory/layout.ts';
import { encodeVersion } from '../../src/storage/directory/version.ts';
import { type MadeUpBlob, madeUpMessage } from './made-up.ts';

export interface Filling {
  readonly links: number;
  /** ms since 1970 */
  readonly now: number;
  readonly progress: (links: number) => void;
}

/** Requests at once. */
const parallel = 64;
const progressEvery = 10_000;

/**
 * Writes the records of a directory directly, without flushing each one to the disk: flushing would take most of the
 * time.
 */
export function fillDirectory(root: string, { links, now, progress }: Filling): void {
  const known = new Set<string>();
  const write = (path: string, bytes: Buffer): void => {
    const folder = dirname(path);
    if (!known.has(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
    known.add(folder);
    writeFileSync(path, bytes, { mode: 0o600 });
  };
  let count = 0;
  for (let i = 0; i < links; i++) {
    for (const { name, content, metadata } of madeUpMessage(i, now)) {
      const place = placeOf(name);
      const version = { id: `v${(count++).toString(36)}`, at: now - 3 * 86_400_000, metadata };
      const isFile = name.startsWith('files/');
      if (isFile) write(join(root, 'files', place.folder.slice(-3), place.file), content);
      const own = isFile
        ? { ...version, content: { file: place.file, size: content.length }, bytes: Buffer.alloc(0) }
        : { ...version, bytes: content };
      write(join(root, pathOf(place)), encodeVersion(own));
    }
    if (i % progressEvery === 0) progress(i);
  }
}

export async function fillBlobs(blobs: Blobs, { links, now, progress }: Filling): Promise<void> {
  const { signal } = new AbortController();
  const all = everything(links, now);
  let made = 0;
  const worker = async (): Promise<void> => {
    for (const blob of all) {
      await blobs.create(blob.name, { what: 'a made-up blob', signal, content: blob.content, metadata: blob.metadata });
      if (blob.name.startsWith('links/') && made++ % progressEvery === 0) progress(made);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

function* everything(links: number, now: number): Generator<MadeUpBlob> {
  for (let i = 0; i < links; i++) yield* madeUpMessage(i, now);
}
