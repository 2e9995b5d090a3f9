import type { ExplainedPart, ExplainedReading, Explanation } from './explanation.ts';
import { escapeHarmful } from '../../smtp/one-line.ts';
import type { MailReading } from './mail-program.ts';

/** An explanation for a person, as lines of text. */
export function printExplanation(explanation: Explanation): string {
  const { from, to, detached, reason, bytesBefore, bytesAfter, parts, log } = explanation;
  const exempt = to.filter((recipient) => recipient.exempt).map(({ address }) => escapeHarmful(address));
  const lines = [
    `from  ${from === '' ? '<> (null reverse-path)' : escapeHarmful(from)}`,
    ...to.map(({ address }) => `to    ${escapeHarmful(address)}`),
    ...(detached && exempt.length > 0 ? [`exempt, get the message as it came: ${exempt.join(', ')}`] : []),
    `size  ${bytesBefore} bytes before, ${bytesAfter} after${detached ? '' : ' (unchanged)'}`,
    ...(reason === null ? [] : [`the message stays whole: ${reason}`]),
    '',
    ...parts.flatMap((part) => printPart(part, 0)),
    ...printNotice(explanation),
    '',
    ...printReading(explanation.mailProgram),
    ...log.map((line) => `log   ${escapeHarmful(line)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function printPart(part: ExplainedPart, depth: number): string[] {
  const { section, type, name, size, encodedSize, does, reason, url, parts } = part;
  const label = [
    section === '' ? 'message' : section,
    escapeHarmful(type),
    ...(name === null ? [] : [`"${escapeHarmful(name)}"`]),
  ];
  const bytes = size === null ? (encodedSize === null ? [] : [`${encodedSize} bytes`]) : [`${size} bytes decoded`];
  const verdict = does === 'goes' ? [`goes: ${url ?? ''}`] : does === 'stays' ? [`stays: ${reason ?? ''}`] : [];
  const line = `${'  '.repeat(depth)}${[label.join(' '), ...bytes, ...verdict].join(', ')}`;
  return [line, ...parts.flatMap((inner) => printPart(inner, depth + 1))];
}

function printNotice({ notice }: Explanation): string[] {
  if (!notice) return [];
  const places = notice.places.map(
    ({ section, type, line }) => `part ${section} (${escapeHarmful(type)}), line ${line}`,
  );
  return ['', `notice in ${places.length === 0 ? 'no text that can be searched' : places.join('; ')}:`].concat(
    notice.texts.flatMap((text) => text.trim().split('\n')).map((line) => `  | ${escapeHarmful(line)}`),
  );
}

function printReading({ skipped, before, after, differences }: ExplainedReading): string[] {
  if (skipped !== null) return [`not compared with a mail program: ${escapeHarmful(skipped)}`];
  return [
    ...(before ? [`a mail program sees before: ${summary(before)}`] : []),
    ...(after ? [`a mail program sees after:  ${summary(after)}`] : []),
    ...differences.map((difference) => `DIFFERENT: ${escapeHarmful(difference)}`),
  ];
}

function summary({ texts, htmls, files }: MailReading): string {
  const pictures = files.filter(({ inline }) => inline).length;
  const words = [
    `${texts.length} plain and ${htmls.length} HTML texts`,
    `${files.length - pictures} files`,
    `${pictures} inline pictures`,
  ];
  return words.join(', ');
}
