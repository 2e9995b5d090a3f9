import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Failure } from '../../smtp/failures.ts';
import type { FileContent, FileRange, Link, LinkIdentity, Store } from '../interface.ts';
import { messageIdOf, tokenOf } from '../naming.ts';

const secret = Buffer.alloc(32, 7);

/** A store for property tests, which need thousands of them: the real one is tested against Azurite. */
export class MemoryStore implements Store {
  readonly files = new Map<string, Buffer>();
  readonly links = new Map<string, Link>();
  readonly messages = new Map<string, Buffer>();
  /** Everything fails while this is set. */
  down = false;

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  async putFile(file: FileContent): Promise<'stored' | 'present'> {
    this.#check();
    const blocks: Buffer[] = [];
    for await (const block of file.open(0, file.size)) blocks.push(Buffer.from(block));
    const bytes = Buffer.concat(blocks);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (sha256 !== file.sha256 || bytes.length !== file.size) throw new Error('not the file that was announced');
    const present = this.files.has(sha256);
    this.files.set(sha256, bytes);
    return present ? 'present' : 'stored';
  }

  putLink(identity: LinkIdentity, size: number): Promise<{ token: string; link: Link }> {
    this.#check();
    if (!this.files.has(identity.sha256)) throw new Error('link to a file that is not there');
    const token = tokenOf(secret, identity);
    const { sha256, name, type, reversePath, messageIdentity } = identity;
    const created = '2026-01-01T00:00:00.000Z';
    const expires = '2026-04-01T00:00:00.000Z';
    const wanted: Link = { v: 1, sha256, size, name, type, created, expires, reversePath, messageIdentity };
    const link = this.links.get(token) ?? wanted;
    this.links.set(token, link);
    return Promise.resolve({ token, link });
  }

  putMessage(manifest: Buffer): Promise<string> {
    this.#check();
    const id = messageIdOf(secret, manifest);
    this.messages.set(id, manifest);
    return Promise.resolve(id);
  }

  getLink(token: string): Promise<Link | undefined> {
    this.#check();
    return Promise.resolve(this.links.get(token));
  }

  getMessage(id: string): Promise<Buffer | undefined> {
    this.#check();
    return Promise.resolve(this.messages.get(id));
  }

  openFile(sha256: string, _signal: AbortSignal, range?: FileRange): Promise<Readable | undefined> {
    this.#check();
    const bytes = this.files.get(sha256);
    if (!bytes) return Promise.resolve(undefined);
    const { offset, count } = range ?? { offset: 0, count: bytes.length };
    return Promise.resolve(Readable.from([bytes.subarray(offset, offset + count)], { objectMode: false }));
  }

  fileSize(sha256: string): Promise<number | undefined> {
    this.#check();
    return Promise.resolve(this.files.get(sha256)?.length);
  }

  signedUrl(sha256: string): Promise<string> {
    return Promise.resolve(`memory:${sha256}`);
  }

  probe(): Promise<boolean> {
    return Promise.resolve(!this.down);
  }

  #check(): void {
    if (this.down) throw new Failure('storageFailed');
  }
}
