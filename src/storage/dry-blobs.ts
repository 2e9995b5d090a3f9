import type { Blobs } from './blobs.ts';

const absent = (): Promise<undefined> => Promise.resolve(undefined);
const done = (): Promise<true> => Promise.resolve(true);

/**
 * Blobs of which none is there and whose changes all succeed and leave nothing behind: for commands that say what would
 * be stored. No content is read.
 */
export const dryBlobs: Blobs = {
  prepare: () => Promise.resolve(),
  probe: done,
  stat: absent,
  read: absent,
  open: absent,
  create: done,
  replace: done,
  setMetadata: done,
  delete: done,
  // eslint-disable-next-line @typescript-eslint/require-await
  async *list() {
    yield [];
  },
  signedUrl: (name) => Promise.resolve(`dry:${name}`),
};
