import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderBlock } from './header-block.ts';
import { traceBoundary } from './trace-boundary.ts';

const boundary = (text: string) => traceBoundary(HeaderBlock.parse(Buffer.from(text)));

test('a message that begins with a blank has no header, and does not continue ours', () => {
  for (const top of [' folded: x\r\nSubject: y\r\n', '\tx\r\n']) {
    assert.equal(boundary(top).text, '\r\n');
    assert.deepEqual(boundary(top).header.fields, []);
  }
});

test('a line of an mbox file does not end the header', () => {
  for (const top of ['From a@b Mon Jan  6 10:00:00 2025\r\nSubject: y\r\n', '>From a@b\r\nSubject: y\r\n']) {
    assert.equal(boundary(top).text, 'X-Mailbox-Line: ');
    assert.equal(boundary(top).header.first('subject'), 'y');
  }
});

test('nothing stands before a field, a text or nothing at all', () => {
  for (const top of ['From: a@b\r\n', 'From : a@b\r\n', 'From  : a@b\r\n', 'text\r\n', 'Fromage frais\r\n', '']) {
    assert.equal(boundary(top).text, '', top);
  }
});
