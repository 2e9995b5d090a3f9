import { findLine, type Position } from './newest-text.ts';
import { SearchBudget } from './search-budget.ts';

export interface TextPlace {
  readonly at: number;
  /** What to write before and after the lines of the notice, each of which ends in CRLF. */
  readonly before: string;
  readonly after: string;
}

export interface TextOptions {
  readonly flowed: boolean;
  readonly position: Position;
  /** What a stretch of the text says in its charset. */
  readonly read: (text: string) => string;
  readonly budget?: SearchBudget;
}

/** The notice is a paragraph of its own. */
export function findTextPlace(
  text: string,
  { flowed, position, read, budget = new SearchBudget() }: TextOptions,
): TextPlace {
  const at = findLineStart(text, { position, read, budget });
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
    after: at === text.length || /^\r?\n/.test(text.slice(at, at + 2)) ? '' : '\r\n',
  };
}

function findLineStart(text: string, { position, read, budget }: Required<Omit<TextOptions, 'flowed'>>): number {
  const most = budget.lines;
  const lines: string[] = [];
  const starts: number[] = [];
  // One more than are looked at: so the last of them is not the last one of the text.
  for (let at = 0; at < text.length && lines.length <= most;) {
    const end = text.indexOf('\n', at);
    const next = end < 0 ? text.length : end + 1;
    starts.push(at);
    lines.push(text.slice(at, end < 0 ? next : end));
    at = next;
  }
  const found = findLine(
    // `>From` is how some servers write a line that begins with From; The Bat! puts initials before the sign.
    lines.map((line) => ({ text: read(line), isQuoted: /^ ?[A-Z]{0,3}>(?!From )/.test(line) })),
    { position, most },
  );
  budget.spend({ lines: lines.length });
  return found === lines.length ? text.length : starts[found]!;
}

/**
 * Fixed lines for `format=flowed`, which no reader joins. They are space-stuffed where their start would have a meaning
 * (RFC 3676 section 4.4).
 */
export const flow = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/ +$/, '').replace(/^(?=[ >]|From )/, ' '));
