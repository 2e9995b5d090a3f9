import type { Fields, Log } from './interface.ts';
import { RepeatedLines } from './repeated-lines.ts';

/**
 * Events that a client, a message or the next hop can cause as often as it likes, each with the fields that lines must
 * share to be summed up. The closing line of a transaction is not one of them: each message has its own.
 */
const summedUp: ReadonlyMap<string, readonly string[]> = new Map([
  ['loop-refused', ['fence', 'client']],
  ['loop-notification', ['to']],
  ['passed-whole', ['reason']],
  ['session-replaced', ['peer', 'reason']],
  ['xforward-refused', ['peer']],
  ['next-hop-failed', ['nextHop', 'failure']],
  ['next-hop-tls-failed', ['nextHop']],
  ['next-hop-has-our-name', ['nextHop']],
  ['next-hop-is-this-relay', ['nextHop']],
  ['upload-failed', []],
  ['spool-not-released', []],
]);

/** A log in which repeated lines of such events are summed up, wherever they are written. The first one stays whole. */
export class SummedLog implements Log {
  readonly #log: Log;
  readonly #repeated: RepeatedLines;

  constructor(log: Log, options: ConstructorParameters<typeof RepeatedLines>[1] = {}) {
    this.#log = log;
    this.#repeated = new RepeatedLines(log, options);
  }

  debug(event: string, fields?: Fields): void {
    this.#log.debug(event, fields);
  }

  info(event: string, fields?: Fields): void {
    this.#write('info', event, fields);
  }

  warn(event: string, fields?: Fields): void {
    this.#write('warn', event, fields);
  }

  error(event: string, fields?: Fields): void {
    this.#write('error', event, fields);
  }

  /** Writes the sums that are due. Further lines may come. */
  close(): void {
    this.#repeated.close();
  }

  #write(severity: 'info' | 'warn' | 'error', event: string, fields: Fields = {}): void {
    const shared = summedUp.get(event);
    if (shared) this.#repeated[severity](event, shared.map((name) => String(fields[name])).join(' '), fields);
    else this.#log[severity](event, fields);
  }
}
