import type { Blobs, BlobState } from './blobs.ts';

const absent = (): Promise<undefined> => Promise.resolve(undefined);
const nothing = (): Promise<void> => Promise.resolve();
const entry: BlobState = { size: 0, etag: '', metadata: {}, modified: 0 };
const done = (): Promise<true> => Promise.resolve(true);

/**
 * Blobs of which none is there and whose changes all succeed and leave nothing behind: for commands that say what would
 * be stored. No content is read. The index alone stands, as a message looks for it again after it was stored.
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
  signedUrl: (name) => Promise.resolve(`dry:${name}`),
};
