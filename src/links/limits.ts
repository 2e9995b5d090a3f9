/** Limits for readers, together and each. People who read their mail never reach them. */
export interface Limits {
  /** Open connections. */
  readonly connections: number;
  /** Open connections of one address; a trusted proxy and the machine itself may have all of them. */
  readonly connectionsPerAddress: number;
  /** Requests that may wait behind the current one. A connection with more is cut: browsers and proxies send none. */
  readonly pipelined: number;
  /** Requests on one connection, one after the other, before it is closed. */
  readonly requestsPerConnection: number;
  /** Records and files that storage is asked about at once, and requests that wait for their turn. */
  readonly lookups: number;
  readonly lookupsWaiting: number;
  /** Downloads at once, and requests that wait for their turn. */
  readonly downloads: number;
  readonly downloadsWaiting: number;
  /** ZIP archives at once. */
  readonly archives: number;
  /** How long a request waits for its turn before it is answered 503: ms. */
  readonly waitMs: number;
  /** What one client may have of the places and of the queue. */
  readonly sharePerClient: number;
  /** Answers of storage that are remembered, and for how long: ms. A new or changed link is seen within 3 s. */
  readonly remembered: number;
  readonly rememberMs: number;
  /** How long a file whose bytes were found to be wrong is not offered: ms. */
  readonly corruptMs: number;
  /** A reader that takes less than `minBytes` in `paceMs` while bytes wait is cut off. It can resume. */
  readonly minBytes: number;
  readonly paceMs: number;
}

export const defaultLimits: Limits = {
  connections: 1000,
  connectionsPerAddress: 500,
  pipelined: 8,
  requestsPerConnection: 1000,
  lookups: 32,
  lookupsWaiting: 256,
  downloads: 256,
  downloadsWaiting: 64,
  archives: 8,
  waitMs: 2000,
  sharePerClient: 0.5,
  remembered: 4096,
  rememberMs: 2000,
  corruptMs: 600_000,
  minBytes: 65_536,
  paceMs: 60_000,
};

/** Connections to storage that readers use at most, apart from those for mail. */
export const readerSockets = defaultLimits.lookups + defaultLimits.downloads + defaultLimits.archives;
