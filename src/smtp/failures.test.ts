import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Failure, failureNames, failureReply } from './failures.ts';

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');

test('every failure is a reply whose enhanced status code has the class of its code', () => {
  for (const name of failureNames) {
    const { code, lines } = failureReply(name);
    assert.match(lines[0] ?? '', new RegExp(`^${Math.trunc(code / 100)}\\.\\d{1,3}\\.\\d{1,3} \\S`), name);
  }
});

test('the page for operators names every reply of ours, with its codes, and no other', () => {
  const rows = [...page.matchAll(/^\| `(\d{3} \d\.\d\.\d)`[^|]*\| `(\w+)` \|/gm)].map(
    ([, codes, name]) => `${name} ${codes}`,
  );
  const table = failureNames.map((name) => {
    const { code, lines } = failureReply(name);
    return `${name} ${code} ${lines[0]?.split(' ')[0]}`;
  });
  assert.deepEqual(rows.sort(), table.sort());
});

test('what is no Failure tells the peer nothing', () => {
  const failure = Failure.from(new Error('cannot open /etc/secret'));
  assert.equal(failure.kind, 'internal');
  assert.equal(failure.message, 'cannot open /etc/secret');
  assert.doesNotMatch(JSON.stringify(failure.reply), /secret/);
});
