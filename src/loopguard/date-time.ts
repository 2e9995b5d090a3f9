import { perSecond } from '../runtime/per-second.ts';

/** The date-time of RFC 5322 section 3.3, for a time in ms. */
export const dateTime = perSecond((ms) => new Date(ms).toUTCString().replace('GMT', '+0000'));
