/**
 * Writes sizes and dates in a language. ICU is not used, because its words and blanks change with its version: a retry
 * on another machine must write the same bytes.
 */
import type { Words } from './words.ts';

/** Powers of 1000, as the units say; one decimal below 10. */
export function writtenSize({ units, comma }: Words, bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would be rounded to 1000, which is 1 of the next unit.
  while (value >= (unit === 0 ? 1000 : 999.5) && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? value.toFixed(1).replace(/\.0$/, '') : String(Math.round(value));
  return `${digits.replace('.', comma)} ${units[unit] ?? ''}`;
}

/** The day in UTC. */
export const writtenDate = ({ date, months }: Words, when: Date): string =>
  date({ day: when.getUTCDate(), month: months.split(' ')[when.getUTCMonth()] ?? '', year: when.getUTCFullYear() });

/** In the middle of a sentence; undefined: never. */
export const writtenEnd = (words: Words, expires: Date | undefined): string =>
  expires ? words.until(writtenDate(words, expires)) : words.forever;
