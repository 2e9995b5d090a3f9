/** Header fields that a person wants to see; the others are counted. */
const telling = /^(from|to|subject|date|message-id|content-[\w-]+|x-detach-[\w-]+|received|mime-version)$/i;
const base64Line = /^[A-Za-z0-9+/=]{60,}$/;
const widest = 110;

/** A message for a person to read: its whole structure, and only the first line of each encoded file. */
export function abridge(message: Buffer): string[] {
  const lines = message.toString('utf8').split('\r\n');
  const end = lines.indexOf('');
  return [...abridgeHeader(lines.slice(0, end)), '', ...abridgeBody(lines.slice(end + 1))].map(cut);
}

function abridgeHeader(lines: readonly string[]): string[] {
  const fields: string[][] = [];
  for (const line of lines) {
    if (/^[ \t]/.test(line)) fields.at(-1)?.push(line);
    else fields.push([line]);
  }
  return fields
    .filter(([first = '']) => telling.test(first.slice(0, first.indexOf(':'))))
    .map((field) => field.map((line) => line.trim()).join(' '));
}

function abridgeBody(lines: readonly string[]): string[] {
  const shown: string[] = [];
  let skipped = 0;
  const tellSkipped = (): void => {
    if (skipped > 0) shown.push(`  … ${skipped.toLocaleString('en')} more lines of base64 …`);
    skipped = 0;
  };
  lines.forEach((line, index) => {
    if (base64Line.test(line) && base64Line.test(lines[index - 1] ?? '')) {
      skipped++;
      return;
    }
    tellSkipped();
    shown.push(line);
  });
  tellSkipped();
  while (shown.at(-1) === '') shown.pop();
  return shown;
}

function cut(line: string): string {
  return line.length > widest ? `${line.slice(0, widest - 1)}…` : line;
}
