import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../test/harness/build-message.ts';
import { abridge } from './abridge.ts';

test('an abridged message keeps its structure and counts what it leaves out', () => {
  const content = Buffer.alloc(57 * 100);
  const message = buildMessage({
    headers: ['X-Mailer: none', 'Received: from there', '\tby here'],
    from: 'alice@example.com',
    to: 'bob@example.org',
    text: 'Hello.\n',
    attachments: [{ name: 'zeros.bin', content }],
  });
  const shown = abridge(message).join('\n');
  assert.match(shown, /^Received: from there by here$/m);
  assert.match(shown, /^Hello\.$/m);
  assert.match(shown, /filename="zeros.bin"/);
  assert.match(shown, /… 99 more lines of base64 …/);
  assert.doesNotMatch(shown, /X-Mailer/);
});
