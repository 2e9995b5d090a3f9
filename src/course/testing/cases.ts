/** Dialogs as data, and the lines that many of them have in common. See `dialog.ts` for the language. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialog, type DialogOptions, type Played } from './dialog.ts';

export interface Case extends DialogOptions {
  readonly what: string;
  readonly says: string;
  /** Of the closing lines, in order. */
  readonly outcomes: readonly string[];
  readonly then?: (played: Played) => void;
}

export function playAll(cases: readonly Case[]): void {
  for (const { what, says, outcomes, then, ...options } of cases)
    test(what, async (t) => {
      const played = await dialog(t, says, options);
      assert.deepEqual(
        played.transactions.map(({ outcome }) => outcome),
        outcomes,
      );
      then?.(played);
    });
}

/** MAIL over a session that is opened for it. */
export const opened = `
  client > MAIL FROM:<a@a.example>
  hop opens
  hop < MAIL FROM:<a@a.example>
  hop > 250 2.1.0 Ok
  client < 250 2.1.0 Ok`;

export const accepted = (mailbox: string): string => `
  client > RCPT TO:<${mailbox}>
  hop < RCPT TO:<${mailbox}>
  hop > 250 2.1.5 Ok
  client < 250 2.1.5 Ok`;

export const envelope = `${opened}${accepted('b@b.example')}`;

/** Over the session that is open. */
export const nextEnvelope = envelope.replace('hop opens', '');

/** The same envelope on a session that replaces the first one. */
export const saidAgain = `
  hop < MAIL FROM:<a@a.example>
  hop > 250 2.1.0 Ok
  hop < RCPT TO:<b@b.example>
  hop > 250 2.1.5 Ok`;

export const reset = `
  hop < RSET
  hop > 250 2.0.0 Ok`;

export const sends = (message = 'letter'): string => `
  client > DATA
  client < 354 End data with <CR><LF>.<CR><LF>
  client > [${message}]`;

export const hopTakes = `
  hop < DATA
  hop > 354 go on
  hop < [message]
  hop > 250 2.0.0 queued`;

export const delivered = `${sends()}${hopTakes}
  client < 250 2.0.0 queued`;

export const withFile = `MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x

Hello
--x
Content-Type: application/pdf; name=report.pdf
Content-Disposition: attachment; filename=report.pdf
Content-Transfer-Encoding: base64

${`${Buffer.alloc(57, 'x').toString('base64')}\n`.repeat(100)}--x--
`;
