import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGuard } from '../loopguard/guard.ts';
import { createMeter } from '../observe/meter.ts';
import type { Fields } from '../observe/interface.ts';
import { TransactionRecord } from './transaction-record.ts';
import { Failure } from '../smtp/failures.ts';

const ok = { code: 250, lines: ['2.0.0 Ok'] };
const no = { code: 550, lines: ['5.1.1 who?'] };

function start() {
  const lines: Fields[] = [];
  const write = (event: string, fields: Fields = {}): void => void lines.push({ event, ...fields });
  const { meter, registry } = createMeter('c');
  const guard = createGuard({
    cluster: 'c',
    keys: [{ id: 'k1', secret: Buffer.alloc(32) }],
    maxPasses: 1,
    hopLimit: 50,
  });
  const room = { guard, meter, log: { debug: write, info: write, warn: write, error: write } };
  const client = { address: '127.0.0.1', helo: 'a.example', protocol: 'ESMTP', xforward: new Map<string, string>() };
  return { lines, registry, record: new TransactionRecord(room, client, { path: '<a@example.com>', params: [] }) };
}

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
