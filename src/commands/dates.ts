import { CommandError, ExitStatus } from './exit-status.ts';

const day = 86_400_000;

/** `YYYY-MM-DD` (the first moment of that day, UTC) or ISO 8601. @throws CommandError 64 */
export function parseDate(option: string, text: string): number {
  const [, date] = /^(\d{4}-\d{2}-\d{2})(?:T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})?)?$/.exec(text) ?? [];
  const time = date !== undefined && isDay(date) ? Date.parse(text) : NaN;
  if (!Number.isNaN(time)) return time;
  throw new CommandError(ExitStatus.usage, `--${option} must be a date such as 2027-03-31 or 2027-03-31T12:00:00Z`);
}

/** JavaScript takes February 30 for March 2. */
function isDay(date: string): boolean {
  const time = Date.parse(date);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}

/** The last moment that a date names: of the day where there is no time. @throws CommandError 64 */
export const parseLastMoment = (option: string, text: string): number =>
  parseDate(option, text) + (text.includes('T') ? 0 : day - 1);
