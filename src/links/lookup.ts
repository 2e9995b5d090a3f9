import type { Link, Page, Store, StoredFile } from '../storage/interface.ts';
import { Gate } from './gate.ts';
import type { Limits } from './limits.ts';
import { Remembered } from './remembered.ts';

export interface LookupOptions {
  readonly store: Pick<Store, 'getLink' | 'getPage' | 'statFile'>;
  readonly limits: Limits;
}

/**
 * Looks up links, pages and files in storage. Few lookups run at once, and their answers, "not there" included, are
 * remembered for a moment. A lookup goes on when its client leaves, because others get its answer too.
 */
export class Lookup {
  readonly #store: LookupOptions['store'];
  readonly #gate: Gate;
  readonly #links: Remembered<Link | undefined>;
  readonly #pages: Remembered<Page | undefined>;
  readonly #files: Remembered<StoredFile | undefined>;
  /** Files whose bytes are wrong. */
  readonly #corrupt: Remembered<true>;
  readonly #stop = new AbortController();

  constructor({ store, limits }: LookupOptions) {
    this.#store = store;
    this.#gate = new Gate({
      places: limits.lookups,
      waiting: limits.lookupsWaiting,
      waitMs: limits.waitMs,
      sharePerClient: limits.sharePerClient,
    });
    const remember = { entries: limits.remembered, ms: limits.rememberMs };
    this.#links = new Remembered(remember);
    this.#pages = new Remembered(remember);
    this.#files = new Remembered(remember);
    this.#corrupt = new Remembered({ entries: limits.remembered, ms: limits.corruptMs });
  }

  /** @throws BusyError, Failure */
  link(token: string, client: string): Promise<Link | undefined> {
    const ask = (): Promise<Link | undefined> => this.#store.getLink(token, this.#stop.signal);
    return this.#links.get(token, () => this.#gate.run(client, ask));
  }

  /** The page of a message. @throws BusyError, Failure */
  page(token: string, client: string): Promise<Page | undefined> {
    const ask = (): Promise<Page | undefined> => this.#store.getPage(token, this.#stop.signal);
    return this.#pages.get(token, () => this.#gate.run(client, ask));
  }

  /** Whether the bytes of a link are there. @throws BusyError, Failure */
  async hasFile({ sha256, size }: Link, client: string): Promise<boolean> {
    if (this.#corrupt.has(sha256)) return false;
    const ask = (): Promise<StoredFile | undefined> => this.#store.statFile(sha256, this.#stop.signal);
    return (await this.#files.get(sha256, () => this.#gate.run(client, ask)))?.size === size;
  }

  /**
   * The file is not there for a while. Browsers that were cut off ask for the rest at once, and a rest cannot be checked:
   * they would complete the file with wrong bytes.
   */
  setCorrupt(sha256: string): void {
    this.#corrupt.put(sha256, true);
  }

  close(): void {
    this.#stop.abort(new Error('the server stops'));
  }
}
