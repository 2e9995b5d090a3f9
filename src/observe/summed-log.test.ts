import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Fields, Log } from './interface.ts';
import { SummedLog } from './summed-log.ts';

type Line = Fields & { readonly event: string };

function start(t: TestContext): { readonly lines: Line[]; readonly log: SummedLog } {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const lines: Line[] = [];
  const write = (event: string, fields: Fields = {}): void => void lines.push({ event, ...fields });
  const inner: Log = { debug: write, info: write, warn: write, error: write };
  return { lines, log: new SummedLog(inner, { windowMs: 1000 }) };
}

const loop = (client: string, id: number, fence = 'stamp'): Fields => ({ id, fence, client, queueId: `Q${id}` });

test('of a flood of loops the first line stays whole, the others are one with their number', (t) => {
  const { lines, log } = start(t);
  for (let i = 0; i < 100; i++) log.warn('loop-refused', loop('192.0.2.1', i));
  log.warn('loop-refused', loop('192.0.2.2', 100));
  log.error('loop-refused', loop('192.0.2.1', 101, 'mirror'));
  t.mock.timers.tick(1000);
  assert.deepEqual(lines, [
    { event: 'loop-refused', ...loop('192.0.2.1', 0) },
    { event: 'loop-refused', ...loop('192.0.2.2', 100) },
    { event: 'loop-refused', ...loop('192.0.2.1', 101, 'mirror') },
    { event: 'loop-refused', ...loop('192.0.2.1', 99), count: 99, since: '1970-01-01T00:00:00.000Z' },
  ]);
});

test('each message has its closing line', (t) => {
  const { lines, log } = start(t);
  for (let i = 0; i < 100; i++) log.info('transaction', { id: i });
  assert.equal(lines.length, 100);
});

test('sums that are due are written at the end', (t) => {
  const { lines, log } = start(t);
  for (let i = 0; i < 3; i++) log.info('passed-whole', { reason: 'too many parts' });
  log.close();
  assert.deepEqual(
    lines.map(({ count }) => count),
    [undefined, 2],
  );
});
