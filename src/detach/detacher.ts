import type { Config } from '../config/config.ts';
import type { Notice } from '../links/interface.ts';
import type { Log, Meter } from '../observe/interface.ts';
import type { Store } from '../storage/interface.ts';
import { IncomingMessage, type IncomingContext } from './incoming-message.ts';
import type { Detacher } from './interface.ts';
import { createPolicyClass } from './policy.ts';
import { receiveHeader } from './receive-header.ts';
import { HeaderRoom } from './spool/header-room.ts';
import { Spool } from './spool/spool.ts';
import type { SpoolSpace } from './spool/spool-space.ts';

export interface DetacherOptions {
  readonly config: Pick<Config, 'detach' | 'links' | 'spool'>;
  readonly store: Store;
  readonly notice: Notice;
  readonly log: Log;
  readonly meter: Meter;
  /** Where `spool.maxBytes` is counted; in this process alone when not given. */
  readonly space?: SpoolSpace;
}

export function createDetacher({ config, store, notice, log, meter, space }: DetacherOptions): Detacher {
  const uploads = new Set<Promise<unknown>>();
  const watch = (upload: Promise<unknown>): void => {
    const settled = upload.catch((error: unknown) => log.warn('upload-failed', { err: error }));
    uploads.add(settled);
    void settled.then(() => uploads.delete(settled));
  };
  const spool = new Spool({ ...config.spool, meter, ...(space ? { space } : {}) });
  const context: IncomingContext = {
    config,
    store,
    notice,
    log,
    meter,
    watch,
    spool,
  };
  return {
    async receive(body, { signal, client, room = new HeaderRoom(spool, client) }) {
      const source = body[Symbol.asyncIterator]();
      try {
        return new IncomingMessage(await receiveHeader(source, room), source, { context, signal, room });
      } catch (error) {
        room.release();
        throw error;
      }
    },
    openRoom: (client) => new HeaderRoom(spool, client),
    policyClass: createPolicyClass(config.detach),
    trySpool: () => spool.tryOut(),
    async close() {
      await Promise.allSettled(uploads);
    },
  };
}
