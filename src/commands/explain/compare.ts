import type { InspectedLeaf } from '../../detach/inspect.ts';
import type { MailReading, SeenFile } from './mail-program.ts';

export interface Readings {
  readonly before: MailReading;
  readonly after: MailReading;
  /** What was detached, by our reading. */
  readonly detached: readonly InspectedLeaf[];
  readonly urls: readonly string[];
  /** By address of a file: the page that a notice of many files links to in place of it. */
  readonly pages: ReadonlyMap<string, string>;
}

/** Every difference between our reading and a mail program's, one sentence each. */
export function differences({ before, after, detached, urls, pages }: Readings): string[] {
  const found: string[] = [];
  const left = [...before.files];
  for (const leaf of detached) {
    const at = left.findIndex(({ sha256 }) => sha256 === leaf.file?.sha256);
    const seen = at < 0 ? undefined : left.splice(at, 1)[0];
    const part = `part ${leaf.section} (${leaf.name ?? leaf.type})`;
    if (!seen) found.push(`${part} is detached, but a mail program finds no such file in the message`);
    else if (seen.inline) found.push(`${part} is detached, but a mail program shows it inside the text`);
  }
  found.push(...missingFiles(left, after.files));
  found.push(...missingLines('text', { before: linesOf(before.texts), after: linesOf(after.texts) }));
  found.push(...missingLines('HTML', { before: piecesOf(before.htmls), after: piecesOf(after.htmls) }));
  const shown = [...after.texts, ...after.htmls].join('\n');
  for (const url of urls) {
    if (!shown.includes(url) && !shown.includes(pages.get(url) ?? url))
      found.push(`the link ${url} stands in no text that a mail program shows`);
  }
  return found;
}

/** Files that were not detached and are missing nevertheless. New files are the notice. */
function missingFiles(expected: readonly SeenFile[], actual: readonly SeenFile[]): string[] {
  const rest = [...actual];
  return expected.flatMap((file) => {
    const at = rest.findIndex(({ sha256, inline }) => sha256 === file.sha256 && inline === file.inline);
    if (at >= 0) {
      rest.splice(at, 1);
      return [];
    }
    const kind = file.inline ? 'inline picture' : 'file';
    return [`the ${kind} ${file.name ?? file.type} (${file.size} bytes) stays, but a mail program no longer finds it`];
  });
}

interface Lines {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Every line of the original must still be there, in the same order; the lines of the notice are added. */
function missingLines(kind: string, { before, after }: Lines): string[] {
  let at = 0;
  for (const line of before) {
    while (at < after.length && !after[at]!.includes(line)) at++;
    if (at === after.length) return [`the ${kind} has lost the line ${JSON.stringify(line.slice(0, 60))}`];
    if (after[at] === line) at++;
  }
  return [];
}

const linesOf = (texts: readonly string[]): string[] => split(texts, /[\r\n]+/);

/** Tags and what stands between them: a notice is put between two of them, often within a line. */
const piecesOf = (htmls: readonly string[]): string[] => split(htmls, /[\r\n]+|(?=<)|(?<=>)/);

const split = (texts: readonly string[], at: RegExp): string[] =>
  texts
    .join('\n')
    .split(at)
    .map((line) => line.trim())
    .filter((line) => line !== '');
