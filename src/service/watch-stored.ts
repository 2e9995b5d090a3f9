import type { Log, Meter } from '../observe/interface.ts';
import { lastSweep } from '../storage/admin/last-sweep.ts';
import type { Blobs } from '../storage/blobs.ts';

/** A sweep is seen in the figures after this long. */
const everyMs = 60_000;

/** Shows what the last sweep found among the figures. @returns ends it */
export function watchStored(
  blobs: Blobs,
  { log, meter }: { readonly log: Log; readonly meter: Pick<Meter, 'stored'> },
): () => void {
  const stop = new AbortController();
  const look = (): void => {
    lastSweep(blobs, stop.signal).then(
      (found) => {
        if (found) meter.stored(found);
      },
      // Readers and senders already notice storage that does not answer; these figures just keep their last values.
      (error: unknown) => log.debug('figures-failed', { err: error }),
    );
  };
  const timer = setInterval(look, everyMs).unref();
  look();
  return () => {
    clearInterval(timer);
    stop.abort();
  };
}
