import { escapeJson } from '../smtp/one-line.ts';

/** What `--json` prints. Names of files come from strangers: none of them commands a terminal or turns a line around. */
export const jsonText = (value: unknown, indent?: number): string =>
  `${escapeJson(JSON.stringify(value, null, indent))}\n`;
