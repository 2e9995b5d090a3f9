/** The date-time of RFC 5322 section 3.3, for a time in ms. */
export const dateTime = (now: number): string => new Date(now).toUTCString().replace('GMT', '+0000');
