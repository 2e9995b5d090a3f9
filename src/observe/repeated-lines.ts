import type { Fields, Log } from './interface.ts';

/** How long lines of one kind and key are only counted before a line sums them up. */
const defaultWindowMs = 10_000;

/** Keys of one event that are told apart at a time. All further ones share one line. */
const maxKeysPerEvent = 100;

type Severity = 'info' | 'warn' | 'error';

interface Repeated {
  readonly severity: Severity;
  readonly event: string;
  /** Fields of the last line that was only counted. */
  fields: Fields;
  count: number;
  since: string;
}

/**
 * Limits log lines that a stranger can cause as often as they like.
 *
 * The first line of an event and key (an address, mostly) is written at once. Those that follow are counted, and a line
 * with `count` and `since` sums them up every ten seconds for as long as they come. So a flood costs a line per window
 * and key, and at most 100 keys of an event have lines of their own: the rest is summed up in one with `others: true`.
 */
export class RepeatedLines {
  readonly #log: Log;
  readonly #windowMs: number;
  readonly #events = new Map<string, Map<string, Repeated>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Log, { windowMs = defaultWindowMs }: { readonly windowMs?: number } = {}) {
    this.#log = log;
    this.#windowMs = windowMs;
  }

  info(event: string, key: string, fields: Fields = {}): void {
    this.#write('info', event, { key, fields });
  }

  warn(event: string, key: string, fields: Fields = {}): void {
    this.#write('warn', event, { key, fields });
  }

  error(event: string, key: string, fields: Fields = {}): void {
    this.#write('error', event, { key, fields });
  }

  /** Writes the sums that are due, and stops the timer. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const keys of this.#events.values()) for (const repeated of keys.values()) this.#sumUp(repeated);
    this.#events.clear();
  }

  #write(severity: Severity, event: string, { key, fields }: { readonly key: string; readonly fields: Fields }): void {
    const keys = this.#keysOf(event);
    const known = keys.get(key);
    if (known) {
      count(known, fields);
      return;
    }
    const others = keys.size >= maxKeysPerEvent;
    const repeated = { severity, event, fields: others ? { ...fields, others: true } : fields, count: 0, since: '' };
    if (!others) {
      keys.set(key, repeated);
      this.#log[severity](event, fields);
      return;
    }
    const sum = keys.get(othersKey);
    if (sum) count(sum, repeated.fields);
    else {
      keys.set(othersKey, repeated);
      count(repeated, repeated.fields);
    }
  }

  #keysOf(event: string): Map<string, Repeated> {
    let keys = this.#events.get(event);
    if (!keys) this.#events.set(event, (keys = new Map<string, Repeated>()));
    this.#timer ??= setTimeout(this.#endWindow, this.#windowMs).unref();
    return keys;
  }

  /**
   * A key that was repeated is kept for another window. Others are forgotten, so that their next line is written at
   * once.
   */
  readonly #endWindow = (): void => {
    this.#timer = undefined;
    for (const [event, keys] of this.#events) {
      for (const [key, repeated] of keys) if (!this.#sumUp(repeated)) keys.delete(key);
      if (keys.size === 0) this.#events.delete(event);
    }
    if (this.#events.size > 0) this.#timer = setTimeout(this.#endWindow, this.#windowMs).unref();
  };

  #sumUp(repeated: Repeated): boolean {
    const { severity, event, fields, count, since } = repeated;
    if (count === 0) return false;
    this.#log[severity](event, { ...fields, count, since });
    repeated.count = 0;
    return true;
  }
}

/** Stands for the keys beyond `maxKeysPerEvent`: no key of a caller contains a NUL. */
const othersKey = '\0';

function count(repeated: Repeated, fields: Fields): void {
  if (repeated.count === 0) repeated.since = new Date().toISOString();
  repeated.count += 1;
  repeated.fields = fields;
}
