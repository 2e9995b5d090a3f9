import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readOperatorFile, textOf } from './operator-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'operator-'));
after(() => rmSync(folder, { recursive: true }));

test('a file up to the limit is read whole, a longer one is refused before it is read', () => {
  const path = join(folder, 'a.txt');
  writeFileSync(path, 'é'.repeat(50));
  assert.equal(textOf(readOperatorFile(path, { maxBytes: 100 })), 'é'.repeat(50));
  assert.throws(() => readOperatorFile(path, { maxBytes: 99 }), { message: 'has 100 bytes, at most 99 are possible' });
});

test('a directory, a pipe that nobody writes to and a device without an end are refused at once', () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const [path, message] of [
    [folder, 'is a directory'],
    [pipe, 'is no plain file'],
    ['/dev/zero', 'is no plain file'],
  ] as const)
    assert.throws(() => readOperatorFile(path, { maxBytes: 100 }), { name: 'OperatorFileError', message });
  assert.throws(() => readOperatorFile(join(folder, 'none'), { maxBytes: 100 }), { code: 'ENOENT' });
});

test('a text in another charset is said to be no UTF-8', () => {
  for (const bytes of [Buffer.from([0x61, 0xe9]), Buffer.from('\ufeffa', 'utf16le')])
    assert.throws(() => textOf(bytes), { message: 'is not valid UTF-8' });
  assert.equal(textOf(Buffer.from('\ufeffa')), 'a');
});
