/** The course of a message as `relay.ts` leads it: who says what, line by line. See `testing/dialog.ts`. */
import assert from 'node:assert/strict';
import {
  accepted,
  delivered,
  envelope,
  hopTakes,
  nextEnvelope,
  opened,
  playAll,
  reset,
  saidAgain,
  sends,
  withFile,
  type Case,
} from './testing/cases.ts';

const stampPattern = /X-Detach-Guard: [^]*?\n(?! )/;

const cases: readonly Case[] = [
  {
    what: 'MAIL and RCPT are passed on as they come, without SIZE, and DATA when the message is here',
    says: `
      client > MAIL FROM:<a@a.example> SIZE=200 BODY=8BITMIME
      hop opens 8BITMIME, SIZE 1000000
      hop < MAIL FROM:<a@a.example> BODY=8BITMIME
      hop > 250 2.1.0 sender fine
      client < 250 2.1.0 sender fine
      client > RCPT TO:<B@b.example>
      hop < RCPT TO:<B@b.example>
      hop > 250 2.1.5 recipient fine
      client < 250 2.1.5 recipient fine
      ${delivered}`,
    outcomes: ['delivered'],
    then: ({ messages }) =>
      assert.match(
        messages[0] ?? '',
        /^Received: [^]*\nX-Detach-Guard: [^]*\nMessage-ID: <1@a\.example>\n[^]*\n\nHello\n$/,
      ),
  },
  {
    what: 'what comes together leaves together, and each has its own verdict',
    says: `
      client >> MAIL FROM:<a@a.example>
      client >> RCPT TO:<b@b.example>
      client > RCPT TO:<c@b.example>
      hop opens PIPELINING
      hop < MAIL FROM:<a@a.example>
      hop < RCPT TO:<b@b.example>
      hop < RCPT TO:<c@b.example>
      hop > 250 2.1.0 Ok
      hop > 550 5.1.1 nobody of that name
      hop > 251 2.1.5 c has moved
      client < 250 2.1.0 Ok
      client < 550 5.1.1 nobody of that name
      client < 251 2.1.5 c has moved
      ${delivered}`,
    outcomes: ['partial'],
  },
  {
    what: 'MAIL that the next hop refuses takes its recipients with it, and the next one is a new transaction',
    says: `
      client >> MAIL FROM:<spam@a.example>
      client > RCPT TO:<b@b.example>
      hop opens
      hop < MAIL FROM:<spam@a.example>
      hop > 550 5.7.1 not from you
      client < 550 5.7.1 not from you
      client < 503 5.5.1 bad sequence of commands
      client > RCPT TO:<b@b.example>
      client < 503 5.5.1 bad sequence of commands
      client > DATA
      client < 503 5.5.1 bad sequence of commands
      client > MAIL FROM:<a@a.example>
      ${reset}
      hop < MAIL FROM:<a@a.example>
      hop > 451 4.7.1 come back later
      client < 451 4.7.1 come back later`,
    outcomes: ['refused', 'deferred'],
  },
  {
    what: 'refused by ourselves, before the next hop is asked',
    says: `
      client > MAIL FROM:<a@a.example> BODY=BINARYMIME
      client < 501 5.5.4 syntax error in parameters or arguments
      client > MAIL FROM:<a@a.example> SIZE=big
      client < 501 5.5.4 syntax error in parameters or arguments
      client > MAIL FROM:<a@a.example> SIZE=1000001
      client < 552 5.3.4 message size exceeds fixed limit`,
    outcomes: ['refused', 'refused', 'refused'],
  },
  {
    what: 'MAIL within a transaction, and DATA without a recipient',
    says: `
      ${opened}
      client > MAIL FROM:<other@a.example>
      client < 503 5.5.1 bad sequence of commands
      client > RCPT TO:<b@b.example>
      hop < RCPT TO:<b@b.example>
      hop > 550 5.1.1 unknown
      client < 550 5.1.1 unknown
      client > DATA
      client < 554 5.5.1 no valid recipients
      client > RSET
      client < 250 2.0.0 Ok`,
    outcomes: ['refused'],
  },
  {
    what: 'a next hop that cannot be had: 451, and the client may try again on the same connection',
    says: `
      client > MAIL FROM:<a@a.example>
      hop refuses 421 4.3.2 busy
      client < 451 4.4.1 next hop cannot be reached, try again later`,
    outcomes: ['deferred'],
  },
  {
    what: 'a session that dies is replaced, and nobody notices',
    says: `
      ${envelope}
      hop > 421 4.4.2 idle for too long
      hop close
      client > RCPT TO:<c@b.example>
      hop opens
      ${saidAgain}
      hop < RCPT TO:<c@b.example>
      hop > 250 2.1.5 Ok
      client < 250 2.1.5 Ok
      ${delivered}`,
    outcomes: ['delivered'],
  },
  {
    what: 'a session that is replaced and answers otherwise: 451, and nothing was sent',
    says: `
      ${envelope}
      hop close
      ${sends()}
      hop opens
      hop < MAIL FROM:<a@a.example>
      hop > 250 2.1.0 Ok
      hop < RCPT TO:<b@b.example>
      hop > 550 5.1.1 unknown by now
      client < 451 4.4.2 next hop was replaced and answered differently, try again later`,
    outcomes: ['deferred'],
  },
  {
    what: 'an extension that the session lacks: 451 for that recipient alone',
    says: `
      ${envelope}
      client > RCPT TO:<c@b.example> NOTIFY=NEVER
      client < 451 4.5.3 next hop does not offer what this message needs just now, try again later
      ${delivered}`,
    outcomes: ['partial'],
  },
  {
    what: 'DATA refused, the message refused: the next hop’s words',
    says: `
      ${envelope}
      ${sends()}
      hop < DATA
      hop > 452 4.3.1 disk full
      client < 452 4.3.1 disk full
      ${reset}
      ${nextEnvelope}
      ${sends()}
      hop < DATA
      hop > 354 go on
      hop < [message]
      hop > 550 5.7.1 looks like spam
      client < 550 5.7.1 looks like spam`,
    outcomes: ['deferred', 'refused'],
  },
  {
    what: 'lost after the final dot: 451, since nobody knows',
    says: `
      ${envelope}
      ${sends()}
      hop < DATA
      hop > 354 go on
      hop < [message]
      hop close
      client < 451 4.4.2 lost connection with next hop, try again later`,
    outcomes: ['deferred'],
  },
  {
    what: 'one client, two messages, one session with the next hop',
    says: `
      ${envelope}
      ${delivered}
      ${nextEnvelope}
      ${delivered}`,
    outcomes: ['delivered', 'delivered'],
    then: ({ messages }) => assert.notEqual(stampPattern.exec(messages[0]!)?.[0], stampPattern.exec(messages[1]!)?.[0]),
  },
  {
    what: 'RSET gives the session back, and the next transaction begins anew',
    says: `
      ${envelope}
      client > RSET
      client < 250 2.0.0 Ok
      ${reset}
      ${nextEnvelope}
      ${delivered}`,
    outcomes: ['lost', 'delivered'],
  },
  {
    what: 'a client that leaves between commands, and one in the middle of its message: DATA was never said',
    says: `
      ${envelope}
      client > DATA
      client < 354 End data with <CR><LF>.<CR><LF>
      client >| [letter]
      client leaves`,
    outcomes: ['lost'],
    then: ({ messages }) => assert.deepEqual(messages, []),
  },
  {
    what: 'a client that leaves after RCPT',
    says: `
      ${envelope}
      client leaves`,
    outcomes: ['lost'],
  },
  {
    what: 'an exempt recipient beside another one: 452, the client sends it next',
    says: `
      ${envelope}
      client > RCPT TO:<print@exempt.example>
      client < 452 4.5.3 recipient is subject to another policy, send it in a transaction of its own
      ${accepted('c@b.example')}
      ${delivered}`,
    relay: { policyClass: (mailbox) => (mailbox.endsWith('@exempt.example') ? 'exempt' : 'detach') },
    outcomes: ['partial'],
  },
  {
    what: 'storage that fails: 451, and the next hop hears no DATA',
    says: `
      ${envelope}
      store fails
      ${sends('with a file')}
      client < 451 4.3.0 file storage is not available, try again later`,
    messages: { 'with a file': withFile },
    outcomes: ['deferred'],
    then: ({ messages }) => assert.deepEqual(messages, []),
  },
  {
    what: 'a file goes to storage before DATA is said',
    says: `
      ${envelope}
      ${sends('with a file')}
      ${hopTakes}
      client < 250 2.0.0 queued`,
    messages: { 'with a file': withFile },
    outcomes: ['delivered'],
    then: ({ messages, store }) => {
      assert.equal(store.files.size, 1);
      assert.match(messages[0] ?? '', /https:\/\/files\.example\//);
    },
  },
  {
    what: 'SMTP to an LMTP next hop: one recipient per transaction',
    says: `
      ${envelope}
      client > RCPT TO:<c@b.example>
      client < 452 4.5.3 one recipient per transaction here, send this one next
      ${delivered}`,
    outboundProtocol: 'lmtp',
    outcomes: ['partial'],
  },
  {
    what: 'LMTP to LMTP: a verdict for each recipient',
    says: `
      ${envelope}
      ${accepted('c@b.example')}
      ${sends()}
      ${hopTakes}
      hop > 452 4.2.2 mailbox full
      client < 250 2.0.0 queued
      client < 452 4.2.2 mailbox full`,
    inbound: { protocol: 'lmtp' },
    outboundProtocol: 'lmtp',
    outcomes: ['partial'],
  },
  {
    what: 'LMTP to SMTP: the one verdict for each recipient',
    says: `
      ${envelope}
      ${accepted('c@b.example')}
      ${delivered}
      client < 250 2.0.0 queued`,
    inbound: { protocol: 'lmtp' },
    outcomes: ['delivered'],
  },
  {
    what: 'more recipients than a transaction can have: the client sends them next',
    says: `
      client > MAIL FROM:<a@a.example>
      hop opens PIPELINING
      hop < MAIL FROM:<a@a.example>
      hop > 250 2.1.0 Ok
      client < 250 2.1.0 Ok
      ${Array.from({ length: 1000 }, (_, i) => accepted(`u${i}@b.example`)).join('')}
      client > RCPT TO:<late@b.example>
      client < 452 4.5.3 too many recipients
      ${delivered}`,
    outcomes: ['partial'],
  },
];

playAll(cases);
