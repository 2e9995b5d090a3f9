/** Mail that goes in a circle, and what tells `relay.ts` so, line by line. See `testing/dialog.ts`. */
import assert from 'node:assert/strict';
import { guardWith } from '../loopguard/testing/guard.ts';
import { accepted, envelope, hopTakes, playAll, reset, sends, type Case } from './testing/cases.ts';
import { sampleLetter, stampedFor } from './testing/dialog.ts';

const cases: readonly Case[] = [
  {
    what: 'a copy that came back: 554, no DATA, and the words name the recipient',
    says: `
      ${envelope}
      ${sends('stamped for b')}
      client < 554 5.4.6 mail forwarding loop for <b@b.example>`,
    messages: { 'stamped for b': stampedFor(['b@b.example']) },
    outcomes: ['refused'],
    then: ({ log }) => assert.deepEqual(log.alarms, ['loop-refused']),
  },
  {
    what: 'too many trace fields: 554',
    says: `
      ${envelope}
      ${sends('traced')}
      client < 554 5.4.6 too many hops, this message is looping`,
    messages: { traced: `${'Received: from a by b; Thu, 15 Jan 2026 12:00:00 +0000\n'.repeat(50)}${sampleLetter}` },
    outcomes: ['refused'],
  },
  {
    what: 'our own cluster in the call chain: 451, before anything is said to the next hop',
    says: `
      client > MAIL FROM:<a@a.example> XDETACH=other,${guardWith().fingerprint}
      client < 451 4.3.5 mail system configuration error: relays call one another in a circle`,
    outcomes: ['deferred'],
    then: ({ log }) => assert.deepEqual(log.alarms, ['loop-refused']),
  },
  {
    what: 'the call chain goes to a next hop that offers XDETACH, ours added',
    says: `
      client > MAIL FROM:<a@a.example> XDETACH=other
      hop opens XDETACH abcdefghijk
      hop < MAIL FROM:<a@a.example> XDETACH=other,${guardWith().fingerprint}
      hop > 250 2.1.0 Ok
      client < 250 2.1.0 Ok`,
    outcomes: ['lost'],
  },
  {
    what: 'a next hop with the fingerprint of our cluster: 451, and nothing is said to it',
    says: `
      client > MAIL FROM:<a@a.example>
      hop opens XDETACH ours
      hop < QUIT
      hop > 221 2.0.0 Bye
      client < 451 4.3.5 mail system configuration error: next hop leads back to this relay`,
    isMirror: true,
    outcomes: ['deferred'],
  },
  {
    what: 'XFORWARD: what the next hop takes is handed on',
    says: `
      client > XFORWARD NAME=c.example ADDR=192.0.2.9 IDENT=4TqXyz1ABCz9rN.0123abcd7
      client < 250 2.0.0 Ok
      client > MAIL FROM:<a@a.example>
      hop opens XFORWARD NAME ADDR
      hop < XFORWARD NAME=c.example ADDR=192.0.2.9
      hop > 250 2.0.0 Ok
      hop < MAIL FROM:<a@a.example>
      hop > 250 2.1.0 Ok
      client < 250 2.1.0 Ok`,
    outcomes: ['lost'],
    then: ({ transactions }) => assert.equal(transactions[0]?.['queueId'], '4TqXyz1ABCz9rN'),
  },
  {
    what: 'XFORWARD that the next hop refuses is no reason to keep the message',
    says: `
      client > XFORWARD NAME=c.example
      client < 250 2.0.0 Ok
      client > MAIL FROM:<a@a.example>
      hop opens XFORWARD NAME ADDR
      hop < XFORWARD NAME=c.example
      hop > 550 5.7.0 not you
      hop < MAIL FROM:<a@a.example>
      hop > 250 2.1.0 Ok
      client < 250 2.1.0 Ok`,
    outcomes: ['lost'],
    then: ({ log }) => assert.deepEqual(log.alarms, ['xforward-refused']),
  },
  {
    what: 'LMTP, one recipient loops: the other one is delivered, and each hears its own',
    says: `
      ${envelope}
      ${accepted('c@b.example')}
      ${sends('stamped for b')}
      ${reset}
      hop < MAIL FROM:<a@a.example>
      hop > 250 2.1.0 Ok
      hop < RCPT TO:<c@b.example>
      hop > 250 2.1.5 Ok
      ${hopTakes}
      client < 554 5.4.6 mail forwarding loop for <b@b.example>
      client < 250 2.0.0 queued`,
    inbound: { protocol: 'lmtp' },
    messages: { 'stamped for b': stampedFor(['b@b.example']) },
    outcomes: ['partial'],
  },
];

playAll(cases);
