/**
 * The result of some work, waited for no longer than until the signal is aborted. The work itself goes on.
 * @throws the signal's reason, or what the work rejects with
 */
export function unlessAborted<T>(work: T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    const settled = Promise.resolve(work).finally(() => signal.removeEventListener('abort', abort));
    settled.then(resolve, reject);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
