/**
 * Some recipients of a message loop, the others do not: the message goes to the others, and a notification of the loop
 * to the sender. Both stand ready up to their last dot before either is completed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialog, stampedFor } from './testing/dialog.ts';

/** Two recipients accepted, of which b loops; the envelope said again for c alone. */
const upToRestriction = (from = 'a@a.example'): string => `
  client > MAIL FROM:<${from}>
  hop opens
  hop < MAIL FROM:<${from}>
  hop > 250 2.1.0 Ok
  client < 250 2.1.0 Ok
  client > RCPT TO:<b@b.example>
  hop < RCPT TO:<b@b.example>
  hop > 250 2.1.5 Ok
  client < 250 2.1.5 Ok
  client > RCPT TO:<c@b.example>
  hop < RCPT TO:<c@b.example>
  hop > 250 2.1.5 Ok
  client < 250 2.1.5 Ok
  client > DATA
  client < 354 End data with <CR><LF>.<CR><LF>
  client > [stamped for b]
  hop < RSET
  hop > 250 2.0.0 Ok
  hop < MAIL FROM:<${from}>
  hop > 250 2.1.0 Ok
  hop < RCPT TO:<c@b.example>
  hop > 250 2.1.5 Ok`;

const notification = `
  hop opens
  hop2 < MAIL FROM:<>
  hop2 > 250 2.1.0 Ok
  hop2 < RCPT TO:<a@a.example>
  hop2 > 250 2.1.5 Ok`;

const sampleMessage = `
  hop1 < DATA
  hop1 > 354 go on
  hop1 < [message]`;

const reportText = `
  hop2 < DATA
  hop2 > 354 go on
  hop2 < [message]`;

const notSent = 'client < 451 4.4.0 delivery status notification could not be sent, try again later';

interface Case {
  readonly what: string;
  readonly says: string;
  readonly outcome: string;
  /** Messages that the next hop saw the final dot of. */
  readonly taken: number;
}

const cases: readonly Case[] = [
  {
    what: 'both are taken: the message first',
    says: `
      ${upToRestriction()}
      ${notification}
      ${sampleMessage}
      hop1 > 250 2.0.0 message queued
      ${reportText}
      hop2 > 250 2.0.0 report queued
      client < 250 2.0.0 message queued`,
    outcome: 'partial',
    taken: 2,
  },
  {
    what: 'nobody is told about null-sender mail',
    says: `
      ${upToRestriction('')}
      ${sampleMessage}
      hop1 > 250 2.0.0 message queued
      client < 250 2.0.0 message queued`,
    outcome: 'partial',
    taken: 1,
  },
  {
    what: 'no session for the notification: nobody has anything yet',
    says: `
      ${upToRestriction()}
      hop refuses 421 4.3.2 busy
      ${notSent}`,
    outcome: 'deferred',
    taken: 0,
  },
  {
    what: 'the sender is refused as a recipient: nobody has anything yet',
    says: `
      ${upToRestriction()}
      hop opens
      hop2 < MAIL FROM:<>
      hop2 > 250 2.1.0 Ok
      hop2 < RCPT TO:<a@a.example>
      hop2 > 550 5.1.1 unknown
      ${notSent}`,
    outcome: 'deferred',
    taken: 0,
  },
  {
    what: 'DATA of the message is refused: its words, and no notification',
    says: `
      ${upToRestriction()}
      ${notification}
      hop1 < DATA
      hop1 > 452 4.3.1 disk full
      client < 452 4.3.1 disk full`,
    outcome: 'deferred',
    taken: 0,
  },
  {
    what: 'DATA of the notification is refused: the message never gets its dot',
    says: `
      ${upToRestriction()}
      ${notification}
      hop1 < DATA
      hop1 > 354 go on
      hop1 drain
      hop2 < DATA
      hop2 > 452 4.3.1 disk full
      ${notSent}`,
    outcome: 'deferred',
    taken: 0,
  },
  {
    what: 'the message is refused: its words, and the notification never gets its dot',
    says: `
      ${upToRestriction()}
      ${notification}
      ${sampleMessage}
      hop1 > 550 5.7.1 looks like spam
      hop2 < DATA
      hop2 > 354 go on
      hop2 drain
      client < 550 5.7.1 looks like spam`,
    outcome: 'refused',
    taken: 1,
  },
  {
    what: 'the message is taken, the notification is not, for now: all is tried again, a copy too many and none lost',
    says: `
      ${upToRestriction()}
      ${notification}
      ${sampleMessage}
      hop1 > 250 2.0.0 message queued
      ${reportText}
      hop2 > 451 4.3.0 later
      ${notSent}`,
    outcome: 'deferred',
    taken: 2,
  },
  {
    what: 'the message is taken, the notification refused for good: Postfix bounces, and no retry makes a second copy',
    says: `
      ${upToRestriction()}
      ${notification}
      ${sampleMessage}
      hop1 > 250 2.0.0 message queued
      ${reportText}
      hop2 > 550 5.7.1 no reports here
      client < 554 5.4.6 delivered to the others, mail forwarding loop for <b@b.example>`,
    outcome: 'refused',
    taken: 2,
  },
  {
    what: 'the session is lost after the dot of the message: 451',
    says: `
      ${upToRestriction()}
      ${notification}
      ${sampleMessage}
      hop1 close
      hop2 < DATA
      hop2 > 354 go on
      hop2 drain
      client < 451 4.4.2 lost connection with next hop, try again later`,
    outcome: 'deferred',
    taken: 1,
  },
];

for (const { what, says, outcome, taken } of cases) {
  test(what, async (t) => {
    const from = says.includes('MAIL FROM:<a@a.example>') ? 'a@a.example' : '';
    const { messages, transactions } = await dialog(t, says, {
      messages: { 'stamped for b': stampedFor(['b@b.example'], from) },
    });
    assert.equal(messages.length, taken);
    assert.equal(transactions[0]?.['outcome'], outcome);
    const report = messages.find((message) => message.includes('multipart/report'));
    if (report !== undefined)
      assert.match(report, /^Final-Recipient: rfc822; b@b\.example\nAction: failed\nStatus: 5\.4\.6$/m);
  });
}
