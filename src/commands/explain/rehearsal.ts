import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Config } from '../../config/config.ts';
import { createDetacher } from '../../detach/detacher.ts';
import type { Envelope, Outgoing } from '../../detach/interface.ts';
import { linkUrl, type Notice } from '../../links/interface.ts';
import { createNotice } from '../../links/notice.ts';
import type { Fields, Log } from '../../observe/interface.ts';
import { createMeter } from '../../observe/meter.ts';
import { dryBlobs } from '../../storage/dry-blobs.ts';
import type { Store } from '../../storage/interface.ts';
import { createStore } from '../../storage/store.ts';
import { MessageFile } from './message-file.ts';

export interface RehearsalOptions {
  readonly config: Config;
  readonly envelope: Envelope;
  /** For the spool and for the outgoing message. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

export interface Rehearsal {
  /** Addresses by section of the part. `files` is 0 when the message passed whole. */
  readonly urls: ReadonlyMap<string, string>;
  /** By address of a file: the page that a notice of many files links to in place of it. */
  readonly pages: ReadonlyMap<string, string>;
  readonly files: number;
  readonly notices: readonly string[];
  readonly log: readonly string[];
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly after: MessageFile;
}

/** Detaches as `serve` does, with the same code, over a store that keeps nothing. */
export async function rehearse(message: MessageFile, options: RehearsalOptions): Promise<Rehearsal> {
  const { config, envelope, directory, signal } = options;
  const { store, tokens } = recordingStore(createStore({ ...config }, dryBlobs));
  const { notice, texts, pages } = recordingNotice(createNotice(config.links));
  const { log, lines } = recordingLog();
  const { meter } = createMeter(config.loopguard.cluster);
  const spool = { ...config.spool, directory };
  const detacher = createDetacher({ config: { ...config, spool }, store, notice, log, meter });
  const incoming = await detacher.receive(message.read(), { signal });
  const outgoing = await incoming.detach(envelope);
  try {
    const after = await write(outgoing, join(directory, 'after.eml'));
    const { bytesIn, bytesOut, files } = outgoing;
    const urls = new Map([...tokens].map(([section, token]) => [section, linkUrl(config.links.baseUrl, token)]));
    return { urls, pages, files: files.length, notices: [...texts], log: lines, bytesIn, bytesOut, after };
  } finally {
    await outgoing.dispose();
    incoming.release();
    await detacher.close();
  }
}

async function write(outgoing: Outgoing, path: string): Promise<MessageFile> {
  async function* whole(): AsyncGenerator<Buffer, void, undefined> {
    yield outgoing.header;
    yield* outgoing.body();
  }
  await pipeline(Readable.from(whole(), { objectMode: false }), createWriteStream(path, { mode: 0o600 }));
  return MessageFile.at(path);
}

function recordingStore(store: Store): { readonly store: Store; readonly tokens: ReadonlyMap<string, string> } {
  const tokens = new Map<string, string>();
  const openMessage: Store['openMessage'] = async (message, signal) => {
    const records = await store.openMessage(message, signal);
    for (const [i, { partNumber }] of message.files.entries()) tokens.set(partNumber, records.tokens[i]!);
    return records;
  };
  return { store: overlay(store, { openMessage }), tokens };
}

interface RecordingNotice {
  readonly notice: Notice;
  readonly texts: ReadonlySet<string>;
  readonly pages: Rehearsal['pages'];
}

function recordingNotice(notice: Notice): RecordingNotice {
  const texts = new Set<string>();
  const pages = new Map<string, string>();
  const write: Notice['write'] = (content) => {
    const written = notice.write(content);
    texts.add(written.text);
    const { items, page } = content;
    if (page !== undefined && items.length > notice.maxLinks) for (const { url } of items) pages.set(url, page);
    return written;
  };
  return { notice: overlay(notice, { write }), texts, pages };
}

/** An object with some own members and, through its prototype, all others of `base`. */
function overlay<T extends object>(base: T, own: Partial<T>): T {
  return new Proxy(base, {
    get: (target, key) => {
      const value: unknown = Reflect.get(Object.hasOwn(own, key) ? own : target, key);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** A log that records what the service would log about the message, without durations and addresses of storage. */
function recordingLog(): { readonly log: Log; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const write = (event: string, fields: Fields = {}): void => {
    if (event !== 'left-alone') lines.push(`${event} ${JSON.stringify(fields)}`);
  };
  return { log: { debug: write, info: write, warn: write, error: write }, lines };
}
