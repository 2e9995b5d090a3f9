import type { NextHopAddress } from '../../config/config.ts';
import type { Fields, Log } from '../../observe/interface.ts';
import type { NextHopOptions } from '../next-hop.ts';

/** Writes down what was logged, for a test to read. */
export class RecordingLog implements Log {
  readonly entries: (Fields & { readonly level: string; readonly event: string })[] = [];
  debug = this.#record('debug');
  info = this.#record('info');
  warn = this.#record('warn');
  error = this.#record('error');

  /** The events at `warn` and above, in order. */
  get alarms(): string[] {
    return this.entries.filter(({ level }) => level === 'warn' || level === 'error').map(({ event }) => event);
  }

  #record(level: string) {
    return (event: string, fields: Fields = {}): void => {
      this.entries.push({ ...fields, level, event });
    };
  }
}

type Outbound = NextHopOptions['outbound'];

export interface Overrides extends Partial<Omit<NextHopOptions, 'outbound'>> {
  readonly outbound?: Partial<Outbound>;
}

export const loopback = (port: number): NextHopAddress => ({ kind: 'tcp', host: '127.0.0.1', port });

/** Options for these next hops with nothing special, and time-outs that a test can wait for where it must. */
export function nextHopOptions(nextHop: readonly NextHopAddress[], overrides: Overrides = {}): NextHopOptions {
  const ignore = (): void => undefined;
  return {
    hostname: 'relay.example',
    log: new RecordingLog(),
    meter: {
      transaction: ignore,
      recipients: ignore,
      deferred: ignore,
      saved: ignore,
      storageRequest: ignore,
      bytes: ignore,
      fileDetached: ignore,
      storageFailure: ignore,
      fileCorrupt: ignore,
      readerBusy: ignore,
      page: ignore,
      download: ignore,
      linkRefused: ignore,
      linkMade: ignore,
      stored: ignore,
      loop: ignore,
      clients: ignore,
      nextHopSessions: ignore,
      spool: ignore,
    },
    isMirror: () => false,
    isOwnListener: () => false,
    ...overrides,
    outbound: {
      nextHop,
      protocol: 'smtp',
      tls: { mode: 'off', ca: undefined, servername: undefined, cert: undefined, key: undefined },
      auth: { user: undefined, pass: undefined },
      maxConnections: 10,
      maxIdle: 5,
      idleTimeout: 30_000,
      ...overrides.outbound,
    },
  };
}
