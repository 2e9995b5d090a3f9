import { accessSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Blobs, BlobState, Conditional, ListedBlob, Listing, Metadata, NewBlob, Request } from '../blobs.ts';
import { sizeOf } from '../blobs.ts';
import type { FileRange } from '../interface.ts';
import { Contents } from './contents.ts';
import { Drafts } from './drafts.ts';
import { changeOnDisk, onDisk } from './fs-errors.ts';
import { draftsFolder, filesFolder, placeOf, type Place } from './layout.ts';
import { removeLeftovers } from './leftovers.ts';
import { type ListingOptions, listNames, listRecords } from './listing.ts';
import { checkWritable, prepareDirectory } from './prepare-directory.ts';
import { requireRoom, type Reserve } from './room.ts';
import type { Draft, Version } from './version.ts';
import { VersionedRecords } from './versioned-records.ts';

export interface DirectoryOptions extends Reserve {
  readonly now: () => number;
  /** Small reads hold the event loop, which is ten times faster: for a command, which serves nobody else meanwhile. */
  readonly blocking?: boolean;
}

/** Deleted records that a listing remembers at most; the next sweep removes the rest. */
const maxDeleted = 10_000;

const noBytes = Buffer.alloc(0);

/** Blobs as files below a directory of this machine. */
export class DirectoryBlobs implements Blobs {
  readonly wantsMd5 = false;
  readonly #options: DirectoryOptions;
  readonly #records: VersionedRecords;
  readonly #contents: Contents;
  readonly #deleted = new Set<string>();

  constructor(options: DirectoryOptions) {
    this.#options = options;
    const { directory: root, now, blocking = false } = options;
    const drafts = new Drafts(join(root, draftsFolder));
    this.#records = new VersionedRecords({ root, drafts, now, blocking });
    this.#contents = new Contents(root, { drafts, blocking });
  }

  prepare(signal: AbortSignal): Promise<void> {
    return onDisk({ what: 'preparing the directory', signal }, () => prepareDirectory(this.#options.directory));
  }

  probe(signal: AbortSignal): Promise<boolean> {
    const { directory } = this.#options;
    return onDisk({ what: 'looking at the directory', signal }, () => checkWritable(directory)).then(
      () => true,
      () => false,
    );
  }

  requireRoom(bytes: number, request: Request): Promise<void> {
    return onDisk(request, () => requireRoom(this.#options, bytes));
  }

  stat(name: string, request: Request): Promise<BlobState | undefined> {
    const work = async (): Promise<BlobState | undefined> => this.#unlessAway((await this.#find(placeOf(name)))?.state);
    return onDisk({ ...request, record: name }, work);
  }

  read(name: string, request: Request): Promise<(BlobState & { readonly bytes: Buffer }) | undefined> {
    const work = async (): Promise<(BlobState & { readonly bytes: Buffer }) | undefined> => {
      const version = await this.#records.read(placeOf(name));
      return this.#unlessAway(version && { ...stateOf(version, version.bytes.length), bytes: version.bytes });
    };
    return onDisk({ ...request, record: name }, work);
  }

  open(
    name: string,
    { range, ...request }: Request & { readonly range: FileRange | undefined },
  ): Promise<Readable | undefined> {
    return onDisk(request, async () => {
      const place = placeOf(name);
      const version = await this.#records.read(place);
      const handle = await this.#unlessAway(
        version?.content && (await this.#contents.open(place, version.content.file)),
      );
      if (!handle || !range) return handle?.createReadStream({ signal: request.signal });
      // Node ignores an end before the start.
      if (range.count === 0) return handle.createReadStream({ end: 0 }).take(0);
      const bounds = { start: range.offset, end: range.offset + range.count - 1 };
      return handle.createReadStream({ ...bounds, signal: request.signal });
    });
  }

  create(name: string, { content, metadata, ...request }: NewBlob): Promise<boolean> {
    return changeOnDisk({ ...request, record: name }, async () => {
      const place = placeOf(name);
      if (!name.startsWith(`${filesFolder}/`)) return this.#records.create(place, await small(content, metadata));
      const found = await this.#find(place);
      if (found?.state) return false;
      await requireRoom(this.#options, sizeOf(content));
      const file = await this.#contents.write(place, content, request);
      const draft = { metadata, content: { file, size: sizeOf(content) }, bytes: noBytes };
      const done = await this.#place(place, { draft, instead: found?.version });
      if (!done) await this.#contents.remove(place, file);
      return done;
    });
  }

  touch(name: string, request: Request): Promise<void> {
    return changeOnDisk({ ...request, record: name }, async () => {
      const place = placeOf(name);
      const draft = { metadata: {}, bytes: noBytes };
      for (;;) {
        if (await this.#records.create(place, draft)) return;
        const version = await this.#records.read(place);
        if (!version) continue;
        if (await this.#records.replace(place, { id: version.id, draft })) return;
        // Whoever was faster has done what we would do, unless it was deleted. If each tried again until it wins, many
        // transactions of one message at once would take the square of their number.
        const faster = await this.#records.read(place);
        if (!faster || faster.id === version.id) continue;
        await this.#records.flush(place);
        return;
      }
    });
  }

  replace(
    name: string,
    { content, metadata, etag, ...request }: Conditional & { readonly content: Buffer; readonly metadata: Metadata },
  ): Promise<boolean> {
    return changeOnDisk({ ...request, record: name }, () =>
      this.#records.replace(placeOf(name), { id: etag, draft: { metadata, bytes: content } }),
    );
  }

  setMetadata(
    name: string,
    { metadata, etag, ...request }: Conditional & { readonly metadata: Metadata },
  ): Promise<boolean> {
    return changeOnDisk({ ...request, record: name }, async () => {
      const place = placeOf(name);
      const version = await this.#records.read(place);
      if (version?.id !== etag) return false;
      const { bytes, content } = version;
      const draft = { metadata, bytes, ...(content && { content }) };
      return this.#records.replace(place, { id: etag, draft });
    });
  }

  delete(name: string, { etag, ...request }: Conditional): Promise<boolean> {
    return changeOnDisk({ ...request, record: name }, async () => {
      const place = placeOf(name);
      if (!name.startsWith(`${filesFolder}/`)) return this.#records.delete(place, etag);
      const version = await this.#records.read(place);
      if (version?.id !== etag || !(await this.#records.delete(place, etag))) return false;
      if (version.content) await this.#contents.remove(place, version.content.file);
      return true;
    });
  }

  list(prefix: string, request: Listing): AsyncIterable<readonly ListedBlob[]> {
    return pagesOnDisk(request, listRecords(prefix, this.#listing(request)));
  }

  names(prefix: string, request: Listing): AsyncIterable<readonly string[]> {
    return pagesOnDisk(request, listNames(prefix, this.#listing(request)));
  }

  #listing({ what, signal, damaged }: Listing): ListingOptions {
    const read = (name: string): Promise<Version | undefined> => this.#records.read(placeOf(name));
    const deleted = (name: string): void => {
      if (this.#deleted.size < maxDeleted) this.#deleted.add(name);
    };
    return { root: this.#options.directory, what, signal, damaged, read, deleted };
  }

  removeLeftovers({
    before,
    dryRun,
    damaged,
    ...request
  }: Listing & { readonly before: number; readonly dryRun: boolean }): Promise<number> {
    const deleted = [...this.#deleted];
    this.#deleted.clear();
    const options = { root: this.#options.directory, records: this.#records, deleted, before, dryRun, damaged };
    return onDisk(request, () => removeLeftovers({ ...options, ...request }));
  }

  signedUrl(): Promise<string> {
    return Promise.reject(new Error('a directory has no addresses that a browser could fetch from'));
  }

  /** Where the disk is not mounted all is missing: readers would be told that there is no such link. @throws ENOENT */
  async #unlessAway<T>(found: T | undefined): Promise<T | undefined> {
    const always = join(this.#options.directory, draftsFolder);
    if (found !== undefined) return found;
    if (this.#options.blocking) accessSync(always);
    else await access(always);
    return undefined;
  }

  /** The record and the state of the blob; undefined when the bytes of a large blob are gone. */
  async #find(place: Place): Promise<{ readonly version: Version; readonly state?: BlobState } | undefined> {
    const version = await this.#records.read(place);
    if (!version) return undefined;
    const { content, bytes } = version;
    const size = content ? await this.#contents.size(place, content.file) : bytes.length;
    return size === undefined ? { version } : { version, state: stateOf(version, size) };
  }

  /** Writes a record if there is none, or if the bytes of the present one are gone. */
  #place(
    place: Place,
    { draft, instead }: { readonly draft: Draft; readonly instead: Version | undefined },
  ): Promise<boolean> {
    return instead ? this.#records.replace(place, { id: instead.id, draft }) : this.#records.create(place, draft);
  }
}

async function* pagesOnDisk<T>(request: Request, pages: AsyncGenerator<readonly T[]>): AsyncGenerator<readonly T[]> {
  try {
    for (;;) {
      const page = await onDisk(request, () => pages.next());
      if (page.done === true) return;
      yield page.value;
    }
  } finally {
    // A caller that stops early would leave a folder open.
    await pages.return(undefined);
  }
}

const stateOf = ({ id, metadata, at }: Version, size: number): BlobState => ({
  size,
  etag: id,
  metadata,
  modified: at,
});

async function small(content: NewBlob['content'], metadata: Metadata): Promise<Draft> {
  if (Buffer.isBuffer(content)) return { metadata, bytes: content };
  const blocks: Buffer[] = [];
  for await (const block of content.open(0, content.size)) blocks.push(Buffer.from(block));
  return { metadata, bytes: Buffer.concat(blocks) };
}
