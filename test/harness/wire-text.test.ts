import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WireText } from './wire-text.ts';

/** What is taken from it when it comes in pieces of this size. */
function lines(text: string, size: number): string[] {
  const wire = new WireText();
  const all: string[] = [];
  for (const piece of pieces(text, size)) {
    wire.push(piece);
    for (let line = wire.takeLine(); line !== undefined; line = wire.takeLine()) all.push(line);
  }
  return [...all, wire.takeAll().toString()];
}

function replies(text: string, size: number): unknown[] {
  const wire = new WireText();
  const all: unknown[] = [];
  for (const piece of pieces(text, size)) {
    wire.push(piece);
    for (let reply = wire.takeReply(); reply; reply = wire.takeReply()) all.push([reply.code, reply.lines, reply.text]);
  }
  return all;
}

function message(text: string, size: number): readonly [message: string, rest: string] {
  const wire = new WireText();
  let taken = '';
  for (const piece of pieces(text, size)) {
    wire.push(piece);
    if (taken.endsWith('!')) continue;
    const { bytes, ended } = wire.takeMessage();
    taken += bytes.toString() + (ended ? '!' : '');
  }
  return [taken, wire.takeAll().toString()];
}

function* pieces(text: string, size: number): Iterable<Buffer> {
  for (let i = 0; i < text.length; i += size) yield Buffer.from(text.slice(i, i + size), 'latin1');
}

for (const size of [1, 2, 3, 1000]) {
  test(`in pieces of ${size}: lines, replies and messages come out the same`, () => {
    assert.deepEqual(lines('a\r\n\r\nbare\nrest', size), ['a\r\n', '\r\n', 'bare\n', 'rest']);
    assert.deepEqual(replies('250-a\r\n250-\r\n250 c\r\n421\r\n', size), [
      [250, ['a', '', 'c'], '250-a\n250-\n250 c'],
      [421, [''], '421'],
    ]);
    assert.deepEqual(message('a\r\n..\r\n.\r\nQUIT\r\n', size), ['a\r\n..\r\n!', 'QUIT\r\n']);
    assert.deepEqual(message('.\r\nQUIT\r\n', size), ['!', 'QUIT\r\n']);
    assert.deepEqual(message('\r\n.\r\n', size), ['\r\n!', '']);
    assert.deepEqual(message('a\r\n.b\r\n.', size)[0].endsWith('!'), false);
  });
}
