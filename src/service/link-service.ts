import { setPriority } from 'node:os';
import { readerSockets } from '../links/limits.ts';
import { startLinkServer } from '../links/server.ts';
import { createMeter } from '../observe/meter.ts';
import { meterBlobs } from '../storage/metered-blobs.ts';
import { createStore, openBlobs } from '../storage/store.ts';
import { watchStored } from './watch-stored.ts';
import type { Opening, Serving } from './process-host.ts';

/** On a busy machine readers wait for mail, and mail does not wait for readers: a niceness of 10 of 19. */
const readerNiceness = 10;

/** Pages and downloads. @throws what the server cannot be opened for */
export async function openLinks({ config, log, handle }: Opening): Promise<Serving> {
  makeRoomForMail(log);
  const { meter, registry } = createMeter(config.loopguard.cluster);
  const options = { ...config, maxSockets: readerSockets };
  const store = createStore(options, meterBlobs(openBlobs(options), meter));
  const server = await startLinkServer({ links: config.links, store, log, meter, listenOn: handle });
  const endWatch = watchStored(openBlobs(config), { log, meter });
  return {
    registry,
    notReady: [],
    probe: () => Promise.resolve([]),
    close(closing) {
      endWatch();
      return server.close(closing);
    },
  };
}

/** A sandbox may forbid it (a unit of systemd without setpriority(2)): readers are served all the same. */
function makeRoomForMail(log: Opening['log']): void {
  try {
    setPriority(readerNiceness);
  } catch (error) {
    log.warn('niceness-not-set', { niceness: readerNiceness, err: error });
  }
}
