import type { Blobs, BlobState } from './blobs.ts';

const absent = (): Promise<undefined> => Promise.resolve(undefined);
const nothing = (): Promise<void> => Promise.resolve();
const entry: BlobState = { size: 0, etag: '', metadata: {}, modified: 0 };
const done = (): Promise<true> => Promise.resolve(true);

/**
 * An empty store on which all changes succeed and nothing is kept, for commands that say what would be stored. No
 * content is read. Only index entries seem to exist, because a message checks them again after it was stored.
 */
export const dryBlobs: Blobs = {
  wantsMd5: false,
  prepare: nothing,
  requireRoom: nothing,
  touch: nothing,
  probe: done,
  stat: (name) => Promise.resolve(name.startsWith('index/') ? entry : undefined),
  read: absent,
  open: absent,
  create: done,
  replace: done,
  setMetadata: done,
  delete: done,
  removeLeftovers: () => Promise.resolve(0),
  // eslint-disable-next-line @typescript-eslint/require-await
  async *list() {
    yield [];
  },
  // eslint-disable-next-line @typescript-eslint/require-await
  async *names() {
    yield [];
  },
  signedUrl: (name) => Promise.resolve(`dry:${name}`),
};
