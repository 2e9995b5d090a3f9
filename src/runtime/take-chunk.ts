const noBytes = Buffer.alloc(0);

/**
 * Takes a chunk out of the result that an iterator gave; undefined after the last one.
 *
 * A promise that waited for a slow client is old, and what it was resolved with would be in memory until V8 looks
 * through all that is old.
 */
export function takeChunk(result: IteratorResult<Buffer>): Buffer | undefined {
  if (result.done === true) return undefined;
  const chunk = result.value;
  result.value = noBytes;
  return chunk;
}
