import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textLine } from './text-line.ts';

const now = new Date('2026-11-28T10:11:12.345Z');

const transaction = {
  id: 'a1b2',
  outcome: 'delivered',
  messageId: '<m@x>',
  queueId: '4jXYbp5J1SzJ9jt',
  client: '127.0.0.1',
  from: '<ann@a.example>',
  recipients: [{ path: '<bob@b.example>', reply: '250 2.0.0 Ok: queued as 4jXYbq2' }],
  bytesIn: 26_214_400,
  bytesOut: 4100,
  files: [{ sha256: 'x' }],
  seconds: 0.31,
};

test('a transaction is one line with columns', () => {
  assert.equal(
    textLine({ severity: 'info', event: 'transaction', fields: transaction, now }, false),
    '2026-11-28 10:11:12.345  info   delivered  4jXYbp5J1SzJ9jt   26.2 MB >   4.1 kB   1 files     0.310 s  <ann@a.example> > <bob@b.example> (250 2.0.0 Ok: queued as 4jXYbq2)  id=a1b2 messageId=<m@x> client=127.0.0.1\n',
  );
});

test('columns stand at the same place whatever is known', () => {
  const short = { outcome: 'lost', from: '<ann@a.example>', recipients: [], seconds: 12.5 };
  const at = (fields: object): number =>
    textLine({ severity: 'warn', event: 'transaction', fields: { ...fields }, now }, false).indexOf('<ann@');
  assert.equal(at(transaction), at(short));
});

test('many recipients are counted', () => {
  const many = Array.from({ length: 5 }, (_, i) => ({ path: `<u${i}@b>`, reply: '250' }));
  const line = textLine(
    { severity: 'info', event: 'transaction', fields: { ...transaction, recipients: many, recipientCount: 120 }, now },
    false,
  );
  assert.match(line, /<u2@b> \(250\) and 117 more/);
});

test('other events are name and pairs, quoted where needed', () => {
  const fields = { nextHop: '127.0.0.1:25', reason: 'it said "no"', left: undefined, list: [1, 2] };
  assert.equal(
    textLine({ severity: 'warn', event: 'next-hop-failed', fields, now }, false),
    '2026-11-28 10:11:12.345  warn   next-hop-failed   nextHop=127.0.0.1:25 reason="it said \\"no\\"" list=[1,2]\n',
  );
});

test('colour for what needs attention, and nothing that a stranger writes commands the terminal', () => {
  const evil = { reason: 'a\x1b[2J\nb\u202e', from: 'x' };
  const line = textLine({ severity: 'error', event: 'e', fields: evil, now }, true);
  assert.ok(line.startsWith('\x1b[31m') && line.endsWith('\x1b[0m\n'));
  const inner = line.slice(5, -5);
  assert.doesNotMatch(inner, /[\x00-\x1f\u202e]/);
  assert.equal(line.split('\n').length, 2);
  assert.doesNotMatch(textLine({ severity: 'info', event: 'e', fields: {}, now }, true), /\x1b/);
});
