import type { ServerResponse } from 'node:http';
import type { Limits } from '../limits.ts';

/**
 * Watches that a reader takes his bytes: one who takes nearly nothing would hold a place, and a connection to storage,
 * for as long as he likes. `tooSlow` is called once. @returns ends the watch
 */
export function watchPace(
  response: ServerResponse,
  { minBytes, paceMs }: Pick<Limits, 'minBytes' | 'paceMs'>,
  tooSlow: () => void,
): () => void {
  const taken = (): number => (response.socket?.bytesWritten ?? 0) - (response.socket?.writableLength ?? 0);
  let before = taken();
  const timer = setInterval(() => {
    const now = taken();
    // Nothing waits: it is storage that is slow.
    if (now - before < minBytes && response.writableLength > 0) tooSlow();
    before = now;
  }, paceMs);
  return () => clearInterval(timer);
}
