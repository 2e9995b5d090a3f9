export { RepeatedLines } from './repeated-lines.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** One JSON line per event on standard output; `event` names it in kebab-case, as in `loop-refused`. */
export interface Log {
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
}

/** Everything that is counted, by name. Labels are closed sets, never something out of a message. */
export interface Meter {
  transaction(outcome: 'delivered' | 'partial' | 'deferred' | 'refused' | 'lost', seconds: number): void;
  bytes(direction: 'in' | 'out', count: number): void;
  fileDetached(result: 'stored' | 'present', bytes: number): void;
  storageFailure(): void;
  /** A file whose stored bytes are not those that were stored. */
  fileCorrupt(): void;
  /** A reader who was told to come again. */
  readerBusy(): void;
  /** `domain` only goes to the log line; the metric is labelled by cluster and fence. */
  loop(fence: 'stamp' | 'count' | 'mirror' | 'chain'): void;
  clients(open: number): void;
  nextHopSessions(open: number, idle: number): void;
  spool(bytes: number): void;
}
