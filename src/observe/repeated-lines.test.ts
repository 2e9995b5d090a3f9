import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Fields, Log } from './interface.ts';
import { RepeatedLines } from './repeated-lines.ts';

type Line = Fields & { readonly level: string; readonly event: string };

function start(t: TestContext): { readonly lines: Line[]; readonly repeated: RepeatedLines } {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const lines: Line[] = [];
  const write =
    (level: string) =>
    (event: string, fields: Fields = {}): void =>
      void lines.push({ level, event, ...fields });
  const log: Log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const repeated = new RepeatedLines(log, { windowMs: 1000 });
  t.after(() => repeated.close());
  return { lines, repeated };
}

test('the first line is written at once, those that follow in the window are summed up', (t) => {
  const { lines, repeated } = start(t);
  for (let i = 0; i < 500; i++) repeated.warn('client-refused', '192.0.2.1', { client: '192.0.2.1', port: i });
  assert.deepEqual(lines, [{ level: 'warn', event: 'client-refused', client: '192.0.2.1', port: 0 }]);
  t.mock.timers.tick(1000);
  assert.deepEqual(lines.slice(1), [
    {
      level: 'warn',
      event: 'client-refused',
      client: '192.0.2.1',
      port: 499,
      count: 499,
      since: '1970-01-01T00:00:00.000Z',
    },
  ]);
});

test('another key and another event are lines of their own', (t) => {
  const { lines, repeated } = start(t);
  repeated.warn('client-refused', '192.0.2.1');
  repeated.warn('client-refused', '192.0.2.2');
  repeated.info('client-error', '192.0.2.1');
  assert.equal(lines.length, 3);
});

test('a line that was not repeated for a window is news again, and nothing is kept of it', (t) => {
  const { lines, repeated } = start(t);
  repeated.warn('client-refused', '192.0.2.1');
  t.mock.timers.tick(1000);
  assert.equal(lines.length, 1);
  repeated.warn('client-refused', '192.0.2.1');
  assert.equal(lines.length, 2);
});

test('a flood that goes on is one line a window', (t) => {
  const { lines, repeated } = start(t);
  for (let second = 0; second < 60; second++) {
    for (let i = 0; i < 100; i++) repeated.warn('client-refused', '192.0.2.1');
    t.mock.timers.tick(1000);
  }
  assert.equal(lines.length, 1 + 60);
  assert.equal(
    lines.reduce((sum, line) => sum + (typeof line['count'] === 'number' ? line['count'] : 1), 0),
    6000,
  );
});

test('however many addresses there are, there are at most a hundred lines and one sum', (t) => {
  const { lines, repeated } = start(t);
  for (let i = 0; i < 100_000; i++) repeated.warn('client-refused', `2001:db8::${i.toString(16)}`);
  assert.equal(lines.length, 100);
  t.mock.timers.tick(1000);
  assert.equal(lines.length, 101);
  const { others, count } = lines[100]!;
  assert.deepEqual({ others, count }, { others: true, count: 99_900 });
});

test('what was counted is not lost when the service ends', (t) => {
  const { lines, repeated } = start(t);
  for (let i = 0; i < 3; i++) repeated.info('client-error', '192.0.2.1');
  repeated.close();
  assert.equal(lines[1]?.['count'], 2);
  t.mock.timers.tick(5000);
  assert.equal(lines.length, 2);
});
