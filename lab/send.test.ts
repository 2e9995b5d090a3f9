import assert from 'node:assert/strict';
import { test } from 'node:test';
import { send } from './send.ts';

test('what is not a file is not read', async () => {
  const options = { recipients: [], directory: undefined };
  await assert.rejects(send('/dev/zero', options), /\/dev\/zero: is not a file/);
  await assert.rejects(send('/', options), /\/: is not a file/);
  await assert.rejects(send('/nowhere/at all', options), /\/nowhere\/at all: there is no such file/);
});
