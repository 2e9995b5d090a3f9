export interface TextPlace {
  readonly at: number;
  /** What to write before and after the lines of the notice, each of which ends in CRLF. */
  readonly before: string;
  readonly after: string;
}

/** The notice goes to the end, as a paragraph of its own, or before the signature. */
export function findTextPlace(text: string, { flowed }: { readonly flowed: boolean }): TextPlace {
  const signature = findSignature(text);
  const at = signature ?? text.length;
  let end = at;
  let breaks = 0;
  while (end > 0 && text[end - 1] === '\n') {
    end -= text[end - 2] === '\r' ? 2 : 1;
    breaks++;
  }
  // RFC 3676 section 4.2: a blank at the end joins the line with the next one, even if that is empty.
  const wanted = end === 0 ? 0 : flowed && text[end - 1] === ' ' ? 3 : 2;
  return {
    at,
    before: '\r\n'.repeat(Math.max(0, wanted - breaks)),
    after: signature === undefined ? '' : '\r\n',
  };
}

/** Where the last signature separator (RFC 3676 section 4.3) begins. */
function findSignature(text: string): number | undefined {
  for (let at = text.lastIndexOf('-- '); at >= 0; at = at === 0 ? -1 : text.lastIndexOf('-- ', at - 1)) {
    const next = text[at + 3];
    const endsLine = next === undefined || next === '\n' || (next === '\r' && text[at + 4] === '\n');
    if (endsLine && (at === 0 || text[at - 1] === '\n')) return at;
  }
  return undefined;
}

/**
 * Lines for `format=flowed`: fixed ones, which no reader joins, and stuffed where their start would mean something
 * (RFC 3676 section 4.4).
 */
export const flow = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/ +$/, '').replace(/^(?=[ >]|From )/, ' '));
