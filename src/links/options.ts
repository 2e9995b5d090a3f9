import type { Config } from '../config/config.ts';
import type { Log, ReaderMeter, RepeatedLines } from '../observe/interface.ts';
import type { NetworkList } from '../smtp/networks.ts';
import type { Store } from '../storage/interface.ts';
import type { Limits } from './limits.ts';
import type { Shown } from './page/stated-facts.ts';
import type { PageFrame } from './page/page.ts';
import type { Language } from './words/languages.ts';

export interface LinkHandlerOptions {
  readonly basePath: string;
  readonly trustedProxies: NetworkList;
  /** Addresses that many clients share. */
  readonly sharedBy: NetworkList;
  readonly delivery: 'stream' | 'redirect';
  readonly language: Language;
  readonly frame: PageFrame;
  readonly shown: Shown;
  /** What is logged of readers. */
  readonly logs: Config['links']['log'];
  readonly store: Store;
  readonly log: Log;
  /** Log lines that strangers can cause any number of times. */
  readonly lines: RepeatedLines;
  readonly meter: ReaderMeter;
  readonly limits: Limits;
  readonly now: () => number;
}
