import type { Config } from '../../config/config.ts';
import type { Finding } from '../finding.ts';
import type { Check, Context } from '../interface.ts';
import { runChecks } from '../run-checks.ts';

export interface Circumstances extends Partial<Omit<Context, 'config'>> {
  readonly timeoutMs?: number;
}

/** What one check finds on this machine with that configuration. */
export function examineWith(
  check: Check,
  config: Config,
  { timeoutMs, ...given }: Circumstances = {},
): Promise<readonly Finding[]> {
  const context: Context = { config, neighbours: [], listening: [], fstab: '', now: Date.now, ...given };
  const { signal } = new AbortController();
  return runChecks([check], context, timeoutMs === undefined ? { signal } : { signal, timeoutMs });
}

export const linesOf = (found: readonly Finding[]): string =>
  found.map(({ check, result, message, fix }) => `${result} ${check}: ${message} => ${fix}`).join('\n');
