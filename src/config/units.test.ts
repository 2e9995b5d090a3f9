import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, fileMode, printSize, size } from './units.ts';

test('sizes', () => {
  const format = size({ min: 0 });
  const right: readonly (readonly [unknown, number])[] = [
    [0, 0],
    ['0', 0],
    [1048576, 1048576],
    ['1048576', 1048576],
    ['1MiB', 1048576],
    ['1 mib', 1048576],
    [' 25MB ', 25_000_000],
    ['1.5KiB', 1536],
    ['0.1kB', 100],
    ['4GiB', 4294967296],
    ['2TB', 2e12],
    ['7b', 7],
  ];
  for (const [raw, bytes] of right) {
    assert.equal(format.parse(raw), bytes, String(raw));
    assert.equal(format.parse(format.print(bytes)), bytes);
  }
  const wrong = [
    '',
    ' ',
    'MiB',
    '1M',
    '1K',
    '-1',
    -1,
    1.5,
    '1.5',
    '1e3',
    '1,5MB',
    '1  MB',
    '0x10',
    NaN,
    Infinity,
    null,
    true,
    [1],
    '99999999TB',
  ];
  for (const raw of wrong) assert.throws(() => format.parse(raw), { name: 'FormatError' }, String(raw));
});

test('a size is printed with its unit, the one that needs the fewest digits', () => {
  assert.deepEqual(
    [0, 7, 1500, 65_536, 70_000, 1_024_000, 25_000_000, 52_428_800, 4 * 2 ** 30, 2e12, 2 ** 40 + 1].map(printSize),
    [0, '7B', '1500B', '64KiB', '70kB', '1000KiB', '25MB', '50MiB', '4GiB', '2TB', '1099511627777B'],
  );
});

test('any size and duration is read again as it is printed', () => {
  const formats = [size({ min: 0 }), duration('days', { min: 0 }), duration('seconds', { min: 0 })];
  const values = Array.from({ length: 53 }, (_, bit) => [2 ** bit - 1, 2 ** bit, 2 ** bit + 1, 3 ** (bit % 33)]).flat();
  for (const value of [...values, ...Array.from({ length: 15 }, (_, power) => 10 ** power)])
    for (const format of formats) assert.equal(format.parse(format.print(value)), value);
});

test('durations', () => {
  const days = duration('days', { min: 0 });
  const seconds = duration('seconds', { min: 0 });
  const right: readonly (readonly [unknown, number, number])[] = [
    [0, 0, 0],
    [2, 172_800_000, 2000],
    ['2', 172_800_000, 2000],
    [0.5, 43_200_000, 500],
    ['90d', 7_776_000_000, 7_776_000_000],
    ['12h', 43_200_000, 43_200_000],
    ['5m', 300_000, 300_000],
    ['5 min', 300_000, 300_000],
    ['60s', 60_000, 60_000],
    ['250ms', 250, 250],
    ['2w', 1_209_600_000, 1_209_600_000],
  ];
  for (const [raw, plainDays, plainSeconds] of right) {
    assert.equal(days.parse(raw), plainDays, String(raw));
    assert.equal(seconds.parse(raw), plainSeconds, String(raw));
    assert.equal(days.parse(days.print(plainDays)), plainDays);
    assert.equal(seconds.parse(seconds.print(plainSeconds)), plainSeconds);
  }
  for (const raw of ['', 'd', '1y', '-1d', -1, '1d12h', '0.1ms', null]) {
    assert.throws(() => days.parse(raw), { name: 'FormatError' }, String(raw));
  }
});

test('a duration is printed with its unit', () => {
  const days = duration('days', { min: 0 });
  assert.deepEqual(
    [0, 30_000, 90_000, 3_600_000, 43_200_000, 7_776_000_000, 1500].map((ms) => days.print(ms)),
    [0, '30s', '90s', '1h', '12h', '90d', '1500ms'],
  );
});

test('bounds are part of the error', () => {
  assert.throws(() => size({ min: 1, max: 10 }).parse(11), /of at least 1 byte and of at most 10 bytes, not 11$/);
  assert.throws(() => duration('seconds', { min: 0, max: 5000 }).parse('1m'), /of at most 5s, not "1m"$/);
});

test('permissions of a file', () => {
  for (const raw of ['0660', '660', 660]) assert.equal(fileMode.parse(raw), 0o660);
  assert.equal(fileMode.parse(fileMode.print(0o600)), 0o600);
  for (const raw of ['0668', '66', '06600', 'rw', null, true, 6600])
    assert.throws(() => fileMode.parse(raw), /must be permissions such as 0660/);
});
