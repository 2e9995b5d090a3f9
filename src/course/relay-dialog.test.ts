import { test } from 'node:test';
import assert from 'node:assert/strict';
import { dialog } from './testing/dialog.ts';

test('one message: MAIL and RCPT are passed on as they come, and DATA when the message is here', async (t) => {
  const { messages } = await dialog(
    t,
    `client > MAIL FROM:<a@a.example> SIZE=200 BODY=8BITMIME
     hop opens 8BITMIME, SIZE 1000000
     hop < MAIL FROM:<a@a.example> BODY=8BITMIME
     hop > 250 2.1.0 sender fine
     client < 250 2.1.0 sender fine
     client > RCPT TO:<B@b.example>
     hop < RCPT TO:<B@b.example>
     hop > 250 2.1.5 recipient fine
     client < 250 2.1.5 recipient fine
     client > DATA
     client < 354 End data with <CR><LF>.<CR><LF>
     client > [letter]
     hop < DATA
     hop > 354 go on
     hop < [message]
     hop > 250 2.0.0 queued as 4711
     client < 250 2.0.0 queued as 4711`,
  );
  assert.match(messages[0] ?? '', /^Received: [^]*\nX-Detach-Guard: [^]*\nMessage-ID: <1@a\.example>\n[^]*\n\nHello\n$/);
});
