let lastSecond = NaN;
let lastText = '';

/** RFC 5322 section 3.3, of a time in ms: made once for all messages of a second. */
export function dateTime(now: number): string {
  const second = Math.floor(now / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastText = new Date(now).toUTCString().replace('GMT', '+0000');
  }
  return lastText;
}
