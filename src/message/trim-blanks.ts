/**
 * Without the blanks at both ends, one pass. A regular expression for the end of a text looks at a long run of blanks
 * in the middle once for each of them, which takes quadratic time.
 */
export function trimBlanks(text: string, blanks = ' \t\r\n'): string {
  let start = 0;
  while (start < text.length && blanks.includes(text[start]!)) start += 1;
  return trimEnd(text.slice(start), blanks);
}

export function trimEnd(text: string, blanks = ' \t\r\n'): string {
  let end = text.length;
  while (end > 0 && blanks.includes(text[end - 1]!)) end -= 1;
  return text.slice(0, end);
}
