import { setMaxListeners } from 'node:events';
import { RestError } from '@azure/storage-blob';
import { Failure } from '../../smtp/failures.ts';

export interface Attempt {
  /** Aborts with the caller's signal, and when nothing has moved for `idleMs`. */
  readonly signal: AbortSignal;
  /** Restarts the idle timer: something moved. */
  touch(): void;
  /** Ends the attempt with this reason. */
  abort(reason: Error): void;
}

export interface AttemptOptions {
  /** For the log: which operation on what; never a token. */
  readonly what: string;
  readonly signal: AbortSignal;
  readonly idleMs?: number;
}

/** Longer than Azure takes for small operations, shorter than a Postfix under stress waits. */
const defaultIdleMs = 15_000;

/** Runs one operation on storage; whatever goes wrong becomes `Failure('storageFailed')` with a reason for the log. */
export async function attempt<T>(options: AttemptOptions, work: (attempt: Attempt) => Promise<T>): Promise<T> {
  const { what, signal, idleMs = defaultIdleMs } = options;
  // One transaction may have many operations under way; that is no leak to be warned of.
  setMaxListeners(0, signal);
  const controller = new AbortController();
  let reason: Error | undefined;
  const abort = (why: Error): void => {
    reason ??= why;
    controller.abort(why);
  };
  const onAbort = (): void => abort(new Error(`given up: ${describe(signal.reason)}`));
  const timer = setTimeout(() => abort(new Error(`no answer for ${idleMs / 1000} s`)), idleMs);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    controller.signal.throwIfAborted();
    return await work({ signal: controller.signal, touch: () => void timer.refresh(), abort });
  } catch (error) {
    // The SDK leaves an answer unread in which it misses a header field. Its connection would stay in use until storage
    // closes it: a command could not end, and a pool of connections would run out.
    controller.abort(error);
    if (error instanceof Failure) throw error;
    throw storageFailure(what, reason ?? error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** The SDK's errors contain the request with its signature, so only their description leaves this room. */
export function storageFailure(what: string, error: unknown): Failure {
  const reason = `storage: ${what}: ${describe(error)}`;
  return new Failure('storageFailed', { reason, cause: containerIsMissing(error) ? missingContainer : undefined });
}

/** The cause of a failure that creating the container cures. */
export const missingContainer = Symbol('the container does not exist');

/**
 * The status when the error is storage's own answer to a condition or a name; anything else is thrown on.
 *
 * Storage gives a code with each of them. A 404 without one is that of a proxy or of a portal on the way: a reader who
 * is told by it that there is no such file may not come again.
 */
export function answered(error: unknown, ...statuses: readonly number[]): number {
  if (error instanceof RestError && error.statusCode !== undefined && statuses.includes(error.statusCode)) {
    // A container that is not there is no answer about the blob.
    if (ownCode(error) !== undefined && !containerIsMissing(error)) return error.statusCode;
  }
  throw error;
}

export const hasCode = (error: unknown, code: string): boolean => error instanceof RestError && codeOf(error) === code;

const ownCode = ({ response }: RestError): string | undefined => response?.headers.get('x-ms-error-code');

/** The SDK reads the code from the body, and a reply to HEAD has none. */
const codeOf = (error: RestError): string | undefined => error.code ?? ownCode(error);

const containerIsMissing = (error: unknown): boolean =>
  hasCode(error, 'ContainerNotFound') || hasCode(error, 'ContainerBeingDeleted');

function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : 'for no stated reason';
  const code = error instanceof RestError ? [error.statusCode, codeOf(error)].filter(Boolean).join(' ') : '';
  const text = redact(error.message.split('\n', 1)[0] ?? '').slice(0, 300);
  return [code, text].filter(Boolean).join(': ') || error.name;
}

/** Signatures stand in query strings, keys in connection strings, tokens of links in the path. */
function redact(text: string): string {
  return text
    .replace(/\?[^\s"']*/g, '?…')
    .replace(/\b(sig|AccountKey|SharedAccessSignature)=[^\s;&"']*/gi, '$1=…')
    .replace(/\b(links|messages)\/[\w-]{22}/g, '$1/…');
}
