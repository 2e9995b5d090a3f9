import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outgoing } from '../detach/interface.ts';
import { createGuard } from '../loopguard/guard.ts';
import { createMeter } from '../observe/meter.ts';
import type { Fields } from '../observe/interface.ts';
import { TransactionRecord } from './transaction-record.ts';
import { Failure } from '../smtp/failures.ts';

const ok = { code: 250, lines: ['2.0.0 Ok'] };
const no = { code: 550, lines: ['5.1.1 who?'] };

function start(xforward: ReadonlyMap<string, string> = new Map()) {
  const lines: Fields[] = [];
  const levels: string[] = [];
  const write =
    (level: string) =>
    (event: string, fields: Fields = {}): void => {
      lines.push({ event, ...fields });
      levels.push(level);
    };
  const { meter, registry } = createMeter('c');
  const guard = createGuard({
    cluster: 'c',
    keys: [{ id: 'k1', secret: Buffer.alloc(32) }],
    maxPasses: 1,
    hopLimit: 50,
  });
  const room = {
    guard,
    meter,
    log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
  };
  const client = { address: '127.0.0.1', helo: 'a.example', protocol: 'ESMTP', xforward };
  return {
    lines,
    levels,
    registry,
    record: new TransactionRecord(room, { client, mail: { path: '<a@example.com>', params: [] } }),
  };
}

/** A message of which files were taken out. */
const moved = { files: [{}] } as unknown as Outgoing;

const path = (i: number): { path: string; params: string[] } => ({ path: `<u${i}@example.com>`, params: [] });

test('more recipients than are logged: the outcome is that of all', () => {
  for (const [refused, outcome] of [
    [false, 'delivered'],
    [true, 'partial'],
  ] as const) {
    const { lines, record } = start();
    for (let i = 0; i < 300; i += 1) record.recipient(path(i), refused && i === 299 ? no : ok);
    record.close([ok]);
    assert.equal(lines.at(-1)?.['outcome'], outcome);
    assert.equal(lines.at(-1)?.['recipientCount'], 300);
  }
});

test('all refused but the last of three hundred, and the client goes: lost, not refused', () => {
  const { lines, record } = start();
  for (let i = 0; i < 300; i += 1) record.recipient(path(i), i === 299 ? ok : no);
  record.abandoned('gone');
  assert.equal(lines.at(-1)?.['outcome'], 'lost');
});

test('recipients that loop have their own verdict in the closing line', () => {
  const { lines, record } = start();
  record.recipient(path(0), no);
  for (const i of [1, 2, 3]) record.recipient(path(i), ok);
  record.loop({ fence: 'stamp', reason: 'x', mailboxes: ['u2@Example.COM'] });
  record.leftOut([1]);
  record.close([ok]);
  assert.deepEqual(lines[0]?.['recipientDomains'], ['example.com']);
  assert.equal(lines[0]['cluster'], 'c');
  const recipients = lines.at(-1)?.['recipients'] as { reply: string }[];
  assert.deepEqual(
    recipients.map(({ reply }) => reply.slice(0, 3)),
    ['550', '250', '554', '250'],
  );
  assert.equal(lines.at(-1)?.['outcome'], 'partial');
});

test('a next hop that is this relay is counted as a loop', async () => {
  const { lines, registry, record } = start();
  record.refuse(new Failure('mirror', { reason: 'it is us' }));
  assert.equal(lines[0]?.['fence'], 'mirror');
  assert.match(await registry.metrics(), /detach_mta_loops_total\{cluster="c",fence="mirror"\} 1\n/);
});

test('recipients are counted by their last reply, also those beyond the logged ones', async () => {
  const { registry, record } = start();
  record.recipient(path(0), no);
  for (let i = 1; i < 300; i += 1) record.recipient(path(i), ok);
  record.outgoing({ ...moved, bytesIn: 5000, bytesOut: 1000 });
  record.close([ok]);
  const text = await registry.metrics();
  assert.match(text, /^detach_mta_recipients_total\{verdict="accepted"\} 299$/m);
  assert.match(text, /^detach_mta_recipients_total\{verdict="refused"\} 1$/m);
  assert.match(text, /^detach_mta_saved_bytes_total 1196000$/m);
});

test('what is deferred is counted by its reason, and an outage is a warning', async () => {
  const failing = start();
  const failure = new Failure('storageFailed', { reason: 'storage: away' });
  failing.record.recipient(path(0), ok);
  failing.record.failure(failure);
  failing.record.close([failure.reply]);
  assert.equal(failing.levels.at(-1), 'warn');
  const text = await failing.registry.metrics();
  assert.match(text, /^detach_mta_deferred_total\{reason="storageFailed"\} 1$/m);
  assert.match(text, /^detach_mta_recipients_total\{verdict="deferred"\} 1$/m);
  assert.match(text, /^detach_mta_saved_bytes_total 0$/m);
  const words = start();
  words.record.refused({ code: 451, lines: ['4.7.1 greylisted'] });
  assert.equal(words.levels.at(-1), 'info');
  assert.match(await words.registry.metrics(), /^detach_mta_deferred_total\{reason="nextHop"\} 1$/m);
});

test('deferred at MAIL: the line has the queue id that the client said by XFORWARD', () => {
  const { lines, record } = start(new Map([['IDENT', '4jXYbp5J1SzJ9jt']]));
  record.refuse(new Failure('nextHopUnreachable', { reason: 'refused' }));
  assert.equal(lines.at(-1)?.['outcome'], 'deferred');
  assert.equal(lines.at(-1)?.['queueId'], '4jXYbp5J1SzJ9jt');
});
