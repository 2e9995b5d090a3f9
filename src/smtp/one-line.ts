/** Beyond C0: DEL and C1, what turns a line around, what some programs take for a line end, and the byte order mark. */
const beyondC0 = '\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ufeff';

const harmful = new RegExp(`[\\0-\\x1f${beyondC0}]`, 'g');
const harmfulRuns = new RegExp(`[\\0-\\x1f${beyondC0}]+`, 'g');

/** JSON has escaped C0 already. */
const harmfulInJson = new RegExp(`[${beyondC0}]`);
const everyHarmfulInJson = new RegExp(harmfulInJson, 'g');

const escapeOne = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text of others in one line: it cannot look like another line, command a terminal or turn the line around. */
export const onOneLine = (text: string): string => text.replace(harmful, ' ');

/** As `onOneLine`, with one blank for several characters that stand together, and none at the ends. */
export const squeezedOnOneLine = (text: string): string => text.replace(harmfulRuns, ' ').trim();

/** As `onOneLine`, but what is harmful is shown as `\u202e`. */
export const escapeHarmful = (text: string): string => text.replace(harmful, escapeOne);

/** The same JSON, without what a terminal could take for a command. */
export const escapeJson = (json: string): string =>
  harmfulInJson.test(json) ? json.replace(everyHarmfulInJson, escapeOne) : json;
