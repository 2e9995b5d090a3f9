/** A next hop as configured: `host:port`, `[host]:port`, `[v6]:port` or `unix:path`. */
export type NextHopAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** A key of the loop guard: the first one of the list signs, all of them verify. */
export interface GuardKey {
  readonly id: string;
  /** At least 32 bytes. */
  readonly secret: Buffer;
}

/** The effective configuration, after units, lists and addresses were parsed. Sizes in bytes, times in ms. */
export interface Config {
  readonly hostname: string;
  /** Processes that share the work; the limits hold for all of them together. */
  readonly workers: number;
  readonly inbound: {
    readonly address: string;
    readonly port: number;
    readonly protocol: 'smtp' | 'lmtp' | 'milter';
    /** Permission bits of a UNIX socket. */
    readonly socketMode: number;
    /** Name of a group. */
    readonly socketGroup: string | undefined;
    readonly trustedNetworks: readonly string[];
    readonly maxMessageSize: number;
    readonly maxClients: number;
    readonly maxClientsPerAddress: number;
    readonly tls: {
      readonly mode: 'off' | 'optional' | 'required';
      readonly cert: string | undefined;
      readonly key: string | undefined;
    };
    readonly xforwardHosts: readonly string[];
    readonly proxyHosts: readonly string[];
  };
  readonly outbound: {
    readonly nextHop: readonly NextHopAddress[];
    readonly protocol: 'smtp' | 'lmtp';
    readonly tls: {
      readonly mode: 'off' | 'opportunistic' | 'required';
      readonly ca: string | undefined;
      readonly servername: string | undefined;
      /** What we show to a next hop that asks for it. */
      readonly cert: string | undefined;
      readonly key: string | undefined;
    };
    readonly auth: { readonly user: string | undefined; readonly pass: string | undefined };
    readonly maxConnections: number;
    readonly maxIdle: number;
    readonly idleTimeout: number;
  };
  readonly detach: {
    readonly minSize: number;
    readonly onStorageFailure: 'defer' | 'pass';
    /** When the attachments of a message together reach this, those of `totalMinSize` and more are taken too; 0: off. */
    readonly totalSize: number;
    readonly totalMinSize: number;
    /** Larger files stay in the message; 0: no limit. */
    readonly maxSize: number;
    /** Media types in lower case, `image/*` for all of a kind. Where an include list stands, one of them must match. */
    readonly includeTypes: readonly string[];
    readonly excludeTypes: readonly string[];
    /** File name extensions in lower case, without the dot. Exclusion wins over inclusion. */
    readonly includeExtensions: readonly string[];
    readonly excludeExtensions: readonly string[];
    /** Domains as A-labels in lower case; `.example.com` means everything below that domain, not itself. */
    readonly includeSenders: readonly string[];
    readonly exemptSenders: readonly string[];
    readonly includeRecipients: readonly string[];
    readonly exemptRecipients: readonly string[];
    /** How many multipart and message/rfc822 levels are looked into. */
    readonly optOut: {
      /** Name of a header field. */
      readonly field: string | undefined;
      readonly senders: readonly string[];
    };
    readonly maxDepth: number;
  };
  readonly spool: { readonly directory: string; readonly maxBytes: number };
  readonly loopguard: {
    readonly cluster: string;
    readonly keys: readonly GuardKey[];
    readonly maxPasses: number;
    readonly hopLimit: number;
  };
  readonly storage: {
    readonly connectionString: string | undefined;
    readonly accountUrl: string | undefined;
    /** Of this machine, instead of an Azure account. */
    readonly directory: string | undefined;
    /** Bytes of the directory's file system that files leave free; undefined: 5 %, at least 1 GiB. */
    readonly reserve: number | undefined;
    readonly container: string;
  };
  readonly links: {
    readonly baseUrl: string;
    readonly address: string;
    readonly port: number;
    readonly trustedProxies: readonly string[];
    /** The first one is used for new records; records made with any of them are found. */
    readonly secret: readonly Buffer[];
    /** Milliseconds; 0: links never expire. */
    readonly expiresAfter: number;
    readonly delivery: 'stream' | 'redirect';
    /** Without a slash at its end. */
    readonly cdnUrl: string | undefined;
    readonly log: 'full' | 'anonymous' | 'off';
    /** Path of a picture. */
    readonly logo: string | undefined;
    /** `#rgb` or `#rrggbb`. */
    readonly colour: string | undefined;
    readonly showSender: boolean;
    readonly showSubject: boolean;
    readonly language: 'en' | 'fr' | 'de' | 'es' | 'it' | 'nl' | 'pt';
    readonly position: 'newest' | 'top' | 'end';
    readonly maxInNotice: number;
    readonly organisation: string | undefined;
    readonly contact: string | undefined;
    /** Paths of the operator's own templates; undefined: the built-in words. */
    readonly templates: Readonly<Record<'text' | 'html' | 'filePage' | 'messagePage', string | undefined>>;
  };
  readonly metrics: { readonly address: string; readonly port: number };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly format: 'json' | 'text' };
}
