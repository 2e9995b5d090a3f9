/** The lab's output: plain aligned text, with colours only on a terminal. */
const colours = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;

const paint = (code: number) => (text: string) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);

export const bold = paint(1);
export const dim = paint(2);
export const green = paint(32);
export const red = paint(31);
export const cyan = paint(36);

let verbose = false;

/** With `--verbose` everything is shown. */
export function showAll(): void {
  verbose = true;
}

/** Shown with `--verbose` only. */
export function inDetail(show: () => void): void {
  if (verbose) show();
}

// `npm run lab | head` must not end a lab that stays up.
process.stdout.on('error', () => undefined);

export function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

export function heading(text: string): void {
  say(`\n${bold(text)}`);
}

/** A name and its value in two columns. */
export function row(name: string, value: string): void {
  say(`  ${name.padEnd(27)} ${value}`);
}

/** Indented and with a bar, as a quotation. */
export function quote(lines: readonly string[]): void {
  for (const line of lines) say(dim(`  | ${line}`));
}

/** 1234567 as "1.2 MiB". */
export function size(count: number): string {
  if (count < 1024) return `${count} bytes`;
  return count < 1_048_576 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 1_048_576).toFixed(1)} MiB`;
}

/** 1234567 as "1,234,567 bytes (1.2 MiB)". */
export function bytes(count: number): string {
  const exact = `${count.toLocaleString('en')} bytes`;
  if (count < 10_240) return exact;
  return count < 1_048_576
    ? `${exact} (${Math.round(count / 1024)} KiB)`
    : `${exact} (${(count / 1_048_576).toFixed(1)} MiB)`;
}
