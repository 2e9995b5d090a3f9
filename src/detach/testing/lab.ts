import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { createNotice } from '../../links/notice.ts';
import type { Log, Meter } from '../../observe/interface.ts';
import type { Store } from '../../storage/interface.ts';
import { MemoryStore } from '../../storage/testing/memory-store.ts';
import { createDetacher } from '../detacher.ts';
import type { DetachedFile, Detacher, Envelope } from '../interface.ts';
import type { Rules } from '../policy.ts';
import { restore } from '../restore/restore.ts';
import { Spool } from '../spool/spool.ts';

const ignore = (): void => undefined;
export const silentLog: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
export const silentMeter: Meter = {
  transaction: ignore,
  bytes: ignore,
  recipients: ignore,
  deferred: ignore,
  saved: ignore,
  storageRequest: ignore,
  fileDetached: ignore,
  storageFailure: ignore,
  fileCorrupt: ignore,
  readerBusy: ignore,
  page: ignore,
  download: ignore,
  linkRefused: ignore,
  linkMade: ignore,
  stored: ignore,
  loop: ignore,
  clients: ignore,
  nextHopSessions: ignore,
  spool: ignore,
};

/** Small limits, so that small messages show everything. */
export const testRules: Rules = {
  minSize: 2000,
  onStorageFailure: 'defer',
  totalSize: 0,
  totalMinSize: 1500,
  maxSize: 0,
  includeTypes: [],
  excludeTypes: [],
  includeExtensions: [],
  excludeExtensions: [],
  includeSenders: [],
  exemptSenders: [],
  includeRecipients: [],
  exemptRecipients: [],
  optOut: { field: undefined, senders: [] },
  maxDepth: 8,
};

const envelope: Envelope = { reversePath: 'sender@a.example', recipients: ['u@b.example'] };

export interface Detached {
  /** The message as it goes on. */
  readonly message: Buffer;
  readonly files: readonly DetachedFile[];
}

export interface LabOptions {
  readonly rules?: Partial<Rules>;
  readonly links?: Partial<Config['links']>;
  readonly store?: Store;
  readonly spoolBytes?: number;
  readonly log?: Log;
  readonly meter?: Meter;
}

/** A detacher with its store and spool, for tests. */
export class Lab {
  readonly directory = mkdtempSync(join(tmpdir(), 'detach-test-'));
  readonly store: Store;
  readonly detacher: Detacher;
  readonly spool: Spool;

  constructor(options: LabOptions = {}) {
    this.store = options.store ?? new MemoryStore();
    const spool = { directory: this.directory, maxBytes: options.spoolBytes ?? 2 ** 30 };
    const links = {
      baseUrl: 'https://files.example',
      language: 'en',
      position: 'newest',
      templates: { text: undefined, html: undefined },
      ...options.links,
    };
    this.detacher = createDetacher({
      config: { detach: { ...testRules, ...options.rules }, spool, links: links as Config['links'] },
      store: this.store,
      notice: createNotice(links as Config['links']),
      log: options.log ?? silentLog,
      meter: options.meter ?? silentMeter,
    });
    this.spool = new Spool({ ...spool, meter: silentMeter });
  }

  async detach(message: Buffer | readonly Buffer[], to: Envelope = envelope): Promise<Detached> {
    const chunks = ArrayBuffer.isView(message) ? [message] : message;
    const incoming = await this.detacher.receive(stream(chunks), { signal: new AbortController().signal });
    try {
      const outgoing = await incoming.detach(to);
      const parts: Buffer[] = [outgoing.header];
      for await (const block of outgoing.body()) parts.push(Buffer.from(block));
      await outgoing.dispose();
      const bytes = Buffer.concat(parts);
      if (bytes.length !== outgoing.bytesOut)
        throw new Error(`bytesOut ${outgoing.bytesOut}, ${bytes.length} came out`);
      return { message: bytes, files: outgoing.files };
    } finally {
      incoming.release();
    }
  }

  async restore(message: Buffer): Promise<Buffer> {
    const { store, spool } = this;
    const blocks: Buffer[] = [];
    for await (const block of restore(stream([message]), { store, spool, signal: new AbortController().signal }))
      blocks.push(block);
    return Buffer.concat(blocks);
  }

  async close(): Promise<void> {
    await this.detacher.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

// eslint-disable-next-line @typescript-eslint/require-await
export async function* stream(chunks: Iterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  yield* chunks;
}

export function* oneByOne(message: Buffer): Generator<Buffer> {
  for (let i = 0; i < message.length; i++) yield message.subarray(i, i + 1);
}
