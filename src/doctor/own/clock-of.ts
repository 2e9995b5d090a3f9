import type { Config } from '../../config/config.ts';
import { openContainer } from '../../storage/azure/container.ts';
import { getUrl } from './get-url.ts';

/** Beyond this links end at the wrong time; beyond 15 minutes Azure refuses what is signed. */
export const tolerableSkewMs = 60_000;

/** @returns how far the clock of this machine is ahead of that of storage, in ms; undefined when nobody says the time */
export async function clockOf(
  { storage }: Pick<Config, 'storage'>,
  { now, signal }: { readonly now: () => number; readonly signal: AbortSignal },
): Promise<number | undefined> {
  if (storage.directory !== undefined) return undefined;
  try {
    const { origin } = new URL(openContainer({ storage }).url);
    const { headers } = await getUrl(new URL(origin), { signal });
    const theirs = Date.parse(headers.date ?? '');
    return Number.isNaN(theirs) ? undefined : now() - theirs;
  } catch {
    return undefined;
  }
}

export function describeSkew(ms: number): string {
  const minutes = Math.abs(ms) / 60_000;
  const amount = minutes >= 2 ? `${Math.round(minutes)} min` : `${Math.round(Math.abs(ms) / 1000)} s`;
  return `the clock of this machine differs by ${amount} from that of storage (it is ${ms > 0 ? 'ahead' : 'behind'})`;
}
