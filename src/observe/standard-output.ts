/**
 * Standard output for the log. Lines of one turn are written together, so that the reader of the log (journald, a pipe) is
 * woken only once. Lines that cannot be written (disk full, reader stopped) wait in memory, up to a bound; beyond that
 * they are lost.
 */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { DestinationStream } from 'pino';
import { atEndOfTurn } from '../runtime/end-of-turn.ts';
import { codeOf } from '../smtp/failures.ts';

export interface Destination extends DestinationStream {
  readonly isTerminal?: boolean;
  /** Writes the lines that wait. */
  flush?(): void;
}

/** Bytes that wait while standard output cannot be written. Beyond them, lines are dropped. */
const maxWaitingBytes = 1048576;

/** POSIX: a write of up to this size into a pipe is not mixed with writes of other processes, such as our workers. */
const pipeBuffer = 4096;

/** How long a slow reader of a pipe is waited for before the lines wait instead: nothing else happens meanwhile. */
const patienceMs = 1000;

/** How soon it is tried again when there are no further lines. */
const retryMs = 1000;

let opened: Destination | undefined;

/** One for all logs of the process: a reload makes another log, and their lines must keep their order. */
export const standardOutput = (): Destination => (opened ??= new StandardOutput());

class StandardOutput implements Destination {
  readonly isTerminal = isatty(1);
  readonly #fd = descriptor();
  /** The lines of this turn. */
  #lines = '';
  #bytes = 0;
  /** What could not be written yet, in portions that a pipe takes as a whole. */
  readonly #portions: Buffer[] = [];
  #waiting = 0;
  #stalled = false;
  #retry: NodeJS.Timeout | undefined;

  constructor() {
    process.on('exit', () => this.flush());
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#bytes + bytes > pipeBuffer) this.flush();
    if (this.#lines === '') atEndOfTurn(() => this.flush());
    this.#lines += line;
    this.#bytes += bytes;
  }

  flush(): void {
    const lines = this.#lines;
    const bytes = this.#bytes;
    this.#lines = '';
    this.#bytes = 0;
    while (this.#writePortion());
    const written = lines === '' || this.#portions.length > 0 ? 0 : this.#writeSome(lines);
    if (written < bytes && this.#waiting + bytes <= maxWaitingBytes) this.#keep(Buffer.from(lines).subarray(written));
    if (this.#portions.length > 0) this.#tryAgain();
  }

  #keep(portion: Buffer): void {
    this.#portions.push(portion);
    this.#waiting += portion.length;
  }

  #tryAgain(): void {
    if (this.#retry) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.flush();
    }, retryMs).unref();
  }

  /** @returns whether there may be another one to write */
  #writePortion(): boolean {
    const [portion] = this.#portions;
    if (!portion) return false;
    const written = this.#writeSome(portion);
    this.#waiting -= written;
    if (written === portion.length) this.#portions.shift();
    else if (written > 0) this.#portions[0] = portion.subarray(written);
    return written > 0;
  }

  /** @returns how many bytes were written; 0 when none can be for now */
  #writeSome(portion: Buffer | string): number {
    let until: number | undefined;
    for (;;) {
      try {
        const written = typeof portion === 'string' ? writeSync(this.#fd, portion) : writeSync(this.#fd, portion);
        this.#stalled = false;
        return written;
      } catch (error) {
        if (codeOf(error) !== 'EAGAIN' || this.#stalled) return 0;
        until ??= performance.now() + patienceMs;
        this.#stalled = performance.now() > until;
        pause();
      }
    }
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));
const pause = (): void => void Atomics.wait(sleeper, 0, 0, 1);

/**
 * A pipe is opened once more, for writes that do not block: a reader that has stopped must stop neither mail nor the end
 * of the service. The pipe that we were given is shared with others, who rely on it as it is.
 */
function descriptor(): number {
  try {
    if (fstatSync(1).isFIFO()) return openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    // Another user's pipe, or one that has no reader any more.
  }
  return 1;
}
