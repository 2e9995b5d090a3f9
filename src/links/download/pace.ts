import type { ServerResponse } from 'node:http';
import type { Limits } from '../limits.ts';

interface PaceOptions {
  readonly limits: Pick<Limits, 'minBytes' | 'paceMs'>;
  readonly tooSlow: () => void;
}

/**
 * Watches how fast a reader takes bytes: one that takes nearly nothing would hold a place and a connection to storage
 * for any length of time. `tooSlow` is called once. @returns ends the watch
 */
export function watchPace(response: ServerResponse, { limits, tooSlow }: PaceOptions): () => void {
  const { minBytes, paceMs } = limits;
  const taken = (): number => (response.socket?.bytesWritten ?? 0) - (response.socket?.writableLength ?? 0);
  let before = taken();
  const timer = setInterval(() => {
    const now = taken();
    // Only when bytes wait for the reader: otherwise storage is slow, not the reader.
    if (now - before < minBytes && response.writableLength > 0) tooSlow();
    before = now;
  }, paceMs);
  return () => clearInterval(timer);
}
