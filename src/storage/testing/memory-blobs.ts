import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Failure } from '../../smtp/failures.ts';
import type { Blobs, BlobState, Conditional, ListedBlob, Metadata, NewBlob, Request } from '../blobs.ts';
import type { FileRange } from '../interface.ts';

interface Held extends BlobState {
  readonly bytes: Buffer;
}

/** Blobs in memory, for tests that need thousands of stores, or every order of their operations. */
export class MemoryBlobs implements Blobs {
  readonly wantsMd5 = false;
  readonly held = new Map<string, Held>();
  /** Everything fails while this is set. */
  down = false;
  /** Awaited before each operation: a test decides here which one comes next. */
  turn: (operation: string) => Promise<void> | undefined = () => undefined;
  readonly #now: () => number;
  #version = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  probe(): Promise<boolean> {
    return Promise.resolve(!this.down);
  }

  requireRoom(): Promise<void> {
    return Promise.resolve();
  }

  async stat(name: string): Promise<BlobState | undefined> {
    await this.#begin(`stat ${name}`);
    return this.held.get(name);
  }

  async read(name: string): Promise<(BlobState & { readonly bytes: Buffer }) | undefined> {
    await this.#begin(`read ${name}`);
    return this.held.get(name);
  }

  async open(
    name: string,
    { range }: Request & { readonly range: FileRange | undefined },
  ): Promise<Readable | undefined> {
    await this.#begin(`open ${name}`);
    const bytes = this.held.get(name)?.bytes;
    if (!bytes) return undefined;
    const { offset, count } = range ?? { offset: 0, count: bytes.length };
    return Readable.from([bytes.subarray(offset, offset + count)], { objectMode: false });
  }

  async create(name: string, { content, metadata }: NewBlob): Promise<boolean> {
    const bytes = await bytesOf(content);
    const [kind, sha256] = name.split('/');
    if (kind === 'files' && createHash('sha256').update(bytes).digest('hex') !== sha256) {
      throw new Error('not the file that was announced');
    }
    await this.#begin(`create ${name}`);
    if (this.held.has(name)) return false;
    this.#put(name, bytes, metadata);
    return true;
  }

  async touch(name: string): Promise<void> {
    await this.#begin(`touch ${name}`);
    this.#put(name, Buffer.alloc(0), {});
  }

  async replace(
    name: string,
    { content, metadata, etag }: Conditional & { readonly content: Buffer; readonly metadata: Metadata },
  ): Promise<boolean> {
    await this.#begin(`replace ${name}`);
    if (this.held.get(name)?.etag !== etag) return false;
    this.#put(name, content, metadata);
    return true;
  }

  async setMetadata(name: string, { metadata, etag }: Conditional & { readonly metadata: Metadata }): Promise<boolean> {
    await this.#begin(`setMetadata ${name}`);
    const found = this.held.get(name);
    if (found?.etag !== etag) return false;
    this.#put(name, found.bytes, metadata);
    return true;
  }

  async delete(name: string, { etag }: Conditional): Promise<boolean> {
    await this.#begin(`delete ${name}`);
    return this.held.get(name)?.etag === etag && this.held.delete(name);
  }

  async *list(prefix: string): AsyncIterable<readonly ListedBlob[]> {
    await this.#begin(`list ${prefix}`);
    const found = [...this.held].filter(([name]) => name.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
    if (found.length > 0) yield found.map(([name, blob]) => ({ name, ...blob }));
  }

  async *names(prefix: string): AsyncIterable<readonly string[]> {
    for await (const page of this.list(prefix)) yield page.map(({ name }) => name);
  }

  removeLeftovers(): Promise<number> {
    return Promise.resolve(0);
  }

  signedUrl(name: string): Promise<string> {
    return Promise.resolve(`memory:${name}`);
  }

  /** The last part of the names of one kind, and the bytes. */
  *kind(kind: string): Iterable<readonly [string, Buffer]> {
    for (const [name, { bytes }] of this.held) {
      if (name.startsWith(`${kind}/`)) yield [name.slice(kind.length + 1), bytes];
    }
  }

  #put(name: string, bytes: Buffer, metadata: Metadata): void {
    this.#version += 1;
    const state = { size: bytes.length, etag: `"${this.#version}"`, metadata, modified: this.#now() };
    this.held.set(name, { ...state, bytes });
  }

  async #begin(operation: string): Promise<void> {
    await this.turn(operation);
    if (this.down) throw new Failure('storageFailed');
  }
}

async function bytesOf(content: NewBlob['content']): Promise<Buffer> {
  if (Buffer.isBuffer(content)) return content;
  const blocks: Buffer[] = [];
  for await (const block of content.open(0, content.size)) blocks.push(Buffer.from(block));
  return Buffer.concat(blocks);
}
