import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../test/harness/process.ts';
import { repository } from './places.ts';

test('the lab runs once from start to end and finds everything as it should be', async () => {
  const output = await run(process.execPath, ['--import', 'tsx', `${repository}/lab/main.ts`, '--once']);
  assert.match(output, /^ {2}ok {4}detach-mta restore gives the original back, byte for byte$/m);
  assert.equal(output.match(/^ {2}ok {4}/gm)?.length, 9);
  assert.doesNotMatch(output, /FAIL|\x1b/);
});

test('the lab with a Milter runs once from start to end and finds everything as it should be', async () => {
  const output = await run(process.execPath, ['--import', 'tsx', `${repository}/lab/main.ts`, 'milter', '--once']);
  assert.match(output, /^ {2}ok {4}detach-mta restore gives the original back, byte for byte$/m);
  assert.equal(output.match(/^ {2}ok {4}/gm)?.length, 9);
  assert.doesNotMatch(output, /FAIL/);
});

test('the lab with a directory runs once from start to end and finds everything as it should be', async () => {
  const output = await run(process.execPath, ['--import', 'tsx', `${repository}/lab/main.ts`, '--directory', '--once']);
  assert.match(output, /^ {2}ok {4}detach-mta restore gives the original back, byte for byte$/m);
  assert.equal(output.match(/^ {2}ok {4}/gm)?.length, 9);
  assert.doesNotMatch(output, /FAIL|Azurite/);
});

test('the lab runs on two nodes, and a letter outlives the cable', async () => {
  const output = await run(process.execPath, ['--import', 'tsx', `${repository}/lab/main.ts`, '--two-nodes']);
  assert.match(output, /because +host .* said: 451 4\.4\.1 /);
  assert.equal(output.match(/^ {2}ok {4}/gm)?.length, 11);
  assert.doesNotMatch(output, /FAIL/);
});
