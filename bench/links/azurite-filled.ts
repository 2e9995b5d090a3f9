/**
 * Loaded into Azurite, which would take hours to be filled by requests: when the container of the bench is created, puts
 * the blobs of made-up messages directly into its database and its memory.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import './azurite-by-name.mjs';
import { type MadeUpBlob, madeUpMessage } from './made-up.ts';

/** What is used of Azurite and of its database. */
interface Collection {
  readonly name: string;
  insert: (this: Collection, documents: unknown, atOnce?: boolean) => unknown;
}
interface Database {
  addCollection: (this: Database, name: string, options?: unknown) => Collection;
}
interface Chunks {
  set(category: string, chunk: Readonly<Record<string, unknown>>): void;
}

const azurite = createRequire(createRequire(import.meta.url).resolve('azurite'));
const Loki = azurite('lokijs') as { new (name: string): Database; readonly prototype: Database };
const { SharedChunkStore: chunks } = azurite('./common/persistence/MemoryExtentStore.js') as {
  readonly SharedChunkStore: Chunks;
};

const links = Number(process.env['DETACH_BENCH_LINKS']);
/** ms since 1970 */
const now = Number(process.env['DETACH_BENCH_NOW']);
/** The blobs count as written so long ago. */
const age = 3 * 86_400_000;

let blobs: Collection | undefined;
const { addCollection } = Loki.prototype;
const { insert } = Object.getPrototypeOf(new Loki('none').addCollection('none')) as Collection;

Loki.prototype.addCollection = function (name, options) {
  // Of its indexes only that of names tells blobs apart; each deletion goes through the others from end to end.
  const isBlobs = name === '$BLOBS_COLLECTION$';
  const made = addCollection.call(this, name, isBlobs ? { indices: ['name'] } : options);
  if (isBlobs) blobs = made;
  if (made.name === '$CONTAINERS_COLLECTION$') {
    made.insert = function (container) {
      const { accountName, name: containerName } = container as Readonly<Record<string, string>>;
      fill({ accountName, containerName });
      return insert.call(this, container);
    };
  }
  return made;
};

function fill(where: Readonly<Record<string, unknown>>): void {
  const documents: unknown[] = [];
  for (let i = 0; i < links; i++) {
    for (const blob of madeUpMessage(i, now)) documents.push({ ...where, ...documentOf(blob) });
  }
  // All at once: its indexes are sorted after each insertion.
  blobs!.insert(documents, true);
}

/** As Azurite's handler of Put Blob writes it. */
function documentOf({ name, content, metadata }: MadeUpBlob): Readonly<Record<string, unknown>> {
  const date = new Date(now - age);
  const persistency = { count: content.length, offset: 0, id: randomUUID() };
  if (content.length > 0) chunks.set('blob', { ...persistency, chunks: [content] });
  const properties = {
    creationTime: date,
    lastModified: date,
    etag: `"0x${randomBytes(8).toString('hex').toUpperCase()}"`,
    contentLength: content.length,
    contentType: 'application/octet-stream',
    blobType: 'BlockBlob',
    leaseStatus: 'unlocked',
    leaseState: 'available',
    serverEncrypted: true,
    accessTier: 'Hot',
    accessTierInferred: true,
    accessTierChangeTime: date,
  };
  return { name, metadata, properties, persistency, deleted: false, snapshot: '', isCommitted: true };
}
