/** The doctor tries what the configuration names and reads the configurations of the neighbours. It changes neither. */
import type { Config } from '../config/config.ts';
import type { Found } from './finding.ts';
import type { ListeningPort } from './own/listening-ports.ts';
import type { Neighbour } from './postfix/neighbour.ts';

export type { Finding } from './finding.ts';

export interface Context {
  readonly config: Config;
  readonly neighbours: readonly Neighbour[];
  /** Listening ports of this machine and who holds them, read while there was a right to. */
  readonly listening: readonly ListeningPort[];
  /** Text of fstab(5): which folders are file systems of their own. */
  readonly fstab: string;
  /** ms since 1970. */
  readonly now: () => number;
}

/** What a step of a check works with besides its subject. */
export interface Step {
  readonly context: Context;
  readonly signal: AbortSignal;
}

/** One check: a name, and what it finds. Whatever it throws becomes a finding. */
export interface Check {
  readonly name: string;
  readonly run: (context: Context, signal: AbortSignal) => Promise<readonly Found[]> | readonly Found[];
}
