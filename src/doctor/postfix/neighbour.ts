import type { Route } from './routes.ts';
import type { Service } from './service.ts';

/** A Postfix, as its main.cf and master.cf describe it. */
export interface Neighbour {
  /** The directory as named by the operator. */
  readonly dir: string;
  /** Value of a parameter of main.cf, expanded; '' for one that is not there. */
  readonly get: (name: string) => string;
  /** What `postconf` complains of, a line each. */
  readonly complaints: readonly string[];
  /** Entries of master.cf. */
  readonly services: readonly Service[];
  /** The ways on which it sends mail to us. */
  readonly toUs: readonly Route[];
  /** The ways on which it sends mail elsewhere than to us, where it has been told one. */
  readonly elsewhere: readonly Route[];
  /** The listeners that our next hop is. */
  readonly fromUs: readonly Service[];
}
