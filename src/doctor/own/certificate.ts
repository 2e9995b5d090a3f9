import { fail, type Found, warn } from '../finding.ts';
import type { Certificate } from './get-url.ts';

const dayMs = 86_400_000;

/** Time enough to renew it, and later than any automatic renewal. */
const soonDays = 14;

interface DatesOptions {
  /** Whose it is. */
  readonly where: string;
  /** ms since 1970. */
  readonly now: number;
}

/** What is wrong with the dates of a certificate. */
export function datesOf({ ends }: Pick<Certificate, 'ends'>, { where, now }: DatesOptions): Found | undefined {
  if (Number.isNaN(ends)) return undefined;
  const date = new Date(ends).toISOString().slice(0, 10);
  const fix = 'renew the certificate, and see why that does not happen by itself';
  if (ends <= now) return fail(`the certificate of ${where} has expired on ${date}`, fix);
  const days = Math.floor((ends - now) / dayMs);
  return days < soonDays ? warn(`the certificate of ${where} ends in ${days} days, on ${date}`, fix) : undefined;
}
