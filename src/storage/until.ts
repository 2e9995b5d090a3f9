/**
 * How long a blob is kept: the metadata `until`, an ISO 8601 time in UTC or `never`.
 *
 * A file outlives every link to it because its `until` is raised before a link is written. `until` must be a day later
 * than the link's end: more than clocks differ and transactions last. When `until` has to be written at all, a week is
 * added, so that a file that is mailed every day costs one write a week.
 */
const day = 86_400_000;
const margin = day;
const grant = 7 * day;

export type Until = number | 'never';

/** What a file must have before a link that lives `expiresAfter` (0: for ever) may be written at `now`. */
export const neededUntil = (now: number, expiresAfter: number): Until =>
  expiresAfter === 0 ? 'never' : now + expiresAfter + margin;

export const grantedUntil = (needed: Until): Until => (needed === 'never' ? needed : needed + grant);

export const formatUntil = (until: Until): string => (until === 'never' ? until : new Date(until).toISOString());

/**
 * Reads `until` from metadata. undefined: it cannot be read; then it is too low for a new link, and no reason to
 * delete.
 */
export function parseUntil(metadata: Readonly<Record<string, string>> | undefined): Until | undefined {
  const text = metadata?.['until'];
  if (text === undefined || text === 'never') return text;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

export function satisfies(found: Until | undefined, needed: Until): boolean {
  if (found === undefined) return false;
  if (found === 'never') return true;
  return needed !== 'never' && found >= needed;
}

export const latest = (a: Until, b: Until): Until => (a === 'never' || b === 'never' ? 'never' : Math.max(a, b));
