import { BlobStore } from '../store.ts';
import { MemoryBlobs } from './memory-blobs.ts';

const secret = Buffer.alloc(32, 7);
const usualTime = Date.parse('2026-01-01T00:00:00.000Z');

/** A store for property tests, which need thousands of them; what keeps blobs for real is tested by itself. */
export class MemoryStore extends BlobStore {
  readonly blobs: MemoryBlobs;
  readonly #now: number;

  /** @param options.now the time that stays, in milliseconds */
  constructor({ now = usualTime }: { readonly now?: number } = {}) {
    const blobs = new MemoryBlobs(() => now);
    super({ blobs, secret, expiresAfter: 90 * 86_400_000, now: () => now });
    this.blobs = blobs;
    this.#now = now;
  }

  /** By hash. */
  get files(): ReadonlyMap<string, Buffer> {
    return new Map(this.blobs.kind('files'));
  }

  /** By token. */
  get links(): ReadonlyMap<string, Buffer> {
    return new Map(this.blobs.kind('links'));
  }

  /** Manifests by id. */
  get messages(): ReadonlyMap<string, Buffer> {
    return new Map(this.blobs.kind('messages'));
  }

  set down(down: boolean) {
    this.blobs.down = down;
  }

  /** Puts other bytes in the place of a blob, or takes it away. */
  tamper(name: string, bytes: Buffer | undefined): void {
    const found = this.blobs.held.get(name);
    if (bytes === undefined) this.blobs.held.delete(name);
    else
      this.blobs.held.set(name, {
        metadata: {},
        etag: '"0"',
        modified: this.#now,
        ...found,
        size: bytes.length,
        bytes,
      });
  }
}
