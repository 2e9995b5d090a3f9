import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderBlock } from '../message/header-block.ts';
import { headerChanges, insertOnTop } from './milter-changes.ts';

const block = (...lines: readonly string[]): HeaderBlock =>
  HeaderBlock.parse(Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1'));

const said = (shown: HeaderBlock, wanted: HeaderBlock): string[] =>
  headerChanges(shown, wanted).map(({ kind, index, name, value }) => `${kind} ${index} ${name}:${value}`);

test('fields on top alone are inserted, the topmost last', () => {
  const shown = block('From: a', 'Subject: x', '\tfolded');
  const wanted = block('X-One: 1', 'X-Two: 2', '\tb', 'From: a', 'Subject: x', '\tfolded');
  assert.deepEqual(said(shown, wanted), ['insert 0 X-Two: 2\n\tb', 'insert 0 X-One: 1']);
});

test('a message that is itself one file: its content fields change, by name', () => {
  const shown = block('From: a', 'Content-Type: application/pdf', 'Content-Disposition: attachment', 'Subject: x');
  const wanted = block('X-Id: 1', 'From: a', 'Content-Type: text/html', 'Content-Language: en', 'Subject: x');
  assert.deepEqual(said(shown, wanted), [
    'change 1 Content-Type: text/html',
    'change 1 Content-Disposition:',
    'insert 0 X-Id: 1',
    'insert 1000000 Content-Language: en',
  ]);
});

test('several of one name: deleted from the last one on', () => {
  const shown = block('Content-Type: a/b', 'X: 1', 'CONTENT-TYPE: c/d');
  assert.deepEqual(said(shown, block('Content-Type: e/f', 'X: 1', 'Y: 2')), [
    'change 2 CONTENT-TYPE:',
    'change 1 Content-Type: e/f',
    'insert 0 Y: 2',
  ]);
});

test('fields of a hundred thousand names are compared once each', () => {
  const many = Array.from({ length: 100_000 }, (_, i) => `X-${i}: 1`);
  const shown = block('Content-Type: a/b', ...many);
  assert.equal(said(shown, block('X: 1', 'Content-Type: a/b', ...many)).length, 1);
  assert.deepEqual(said(shown, block('Content-Type: c/d', ...many)), ['change 1 Content-Type: c/d']);
});

test('a field whose end is the whole of the header as it was is another field', () => {
  assert.deepEqual(said(block('To: x'), block('X-To: x')), ['change 1 To:', 'insert 0 X-To: x']);
});

test('an empty value is a blank, since no value would delete the field', () => {
  assert.deepEqual(insertOnTop('X-Empty:\r\n'), { kind: 'insert', index: 0, name: 'X-Empty', value: ' ' });
});
