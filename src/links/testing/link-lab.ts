import { mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fields } from '../../observe/interface.ts';
import { changeLink } from '../../storage/admin/change-link.ts';
import type { Blobs } from '../../storage/blobs.ts';
import { createStore, openBlobs } from '../../storage/store.ts';
import { storeMessage, type StoredMessage, type TestMessage } from '../../storage/testing/store-message.ts';
import { type LinkServer, type LinkServerOptions, startLinkServer } from '../server.ts';
import { linkOptions } from './link-options.ts';
import { silentReaders } from './silent-readers.ts';

const day = 86_400_000;
const secret = Buffer.alloc(32, 1);

/** The server of links over a directory, and changes that a test makes directly in the directory. */
export class LinkLab {
  readonly #directory = mkdtempSync(join(tmpdir(), 'links-'));
  readonly #blobs: Blobs;
  readonly #store: ReturnType<typeof createStore>;
  readonly #options: Partial<LinkServerOptions>;
  #server: LinkServer | undefined;
  /** The time for storage and pages: ms since 1970. */
  now = Date.parse('2026-11-28T09:00:00Z');
  readonly lines: { readonly event: string; readonly fields: Fields }[] = [];
  readonly counted = { corrupt: 0, busy: 0 };
  /** Operations on storage that pages and downloads made. */
  readonly asked: string[] = [];

  constructor(options: Partial<LinkServerOptions> = {}) {
    this.#options = options;
    const storage = { directory: this.#directory, reserve: 0, container: 'detach' };
    this.#blobs = openBlobs({ storage, now: () => this.now });
    const links = { secret: [secret], expiresAfter: 90 * day };
    this.#store = createStore({ storage, links, now: () => this.now }, this.#blobs);
  }

  async start(links: Partial<LinkServerOptions['links']> = {}): Promise<void> {
    await this.#store.prepare(new AbortController().signal);
    const note = (event: string, fields: Fields = {}): void => void this.lines.push({ event, fields });
    this.#server = await startLinkServer({
      store: this.#counting(),
      log: { debug: () => undefined, info: note, warn: note, error: note },
      meter: {
        ...silentReaders,
        fileCorrupt: () => (this.counted.corrupt += 1),
        readerBusy: () => (this.counted.busy += 1),
      },
      now: () => this.now,
      ...this.#options,
      limits: { rememberMs: 0, ...this.#options.limits },
      links: { ...linkOptions, ...links },
    });
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    rmSync(this.#directory, { recursive: true });
  }

  url(path: string | undefined): string {
    return `http://${this.#server?.address}/${path}`;
  }

  put(message: TestMessage): Promise<StoredMessage> {
    return storeMessage(this.#store, message);
  }

  async change(token: string, verb: 'revoke' | 'unrevoke'): Promise<void> {
    const { signal } = new AbortController();
    const context = { blobs: this.#blobs, secrets: [secret], now: () => this.now, signal, progress: () => undefined };
    await changeLink(context, token, { verb, dryRun: false });
  }

  /** Replaces the bytes of a file by others of the same number. */
  corrupt(sha256: string, bytes: Buffer): void {
    for (const path of this.#bytesOf(sha256)) writeFileSync(path, bytes);
  }

  /** Deletes the bytes of a file. */
  unlink(sha256: string): void {
    for (const path of this.#bytesOf(sha256)) unlinkSync(path);
  }

  #bytesOf(sha256: string): string[] {
    const all = readdirSync(join(this.#directory, 'files'), { recursive: true, encoding: 'utf8' });
    return all.filter((path) => path.includes(sha256)).map((path) => join(this.#directory, 'files', path));
  }

  #counting(): ReturnType<typeof createStore> {
    const { asked } = this;
    return new Proxy(this.#store, {
      get: (store, key) => {
        const value: unknown = Reflect.get(store, key, store);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          asked.push(String(key));
          return value.apply(store, args) as unknown;
        };
      },
    });
  }
}
