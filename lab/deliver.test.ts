import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linksIn } from './deliver.ts';

const url = 'http://127.0.0.1:8025/E0kRemumU3vzc7PF4y1-kA';

test('links are found in every transfer encoding, each once', () => {
  const base64 = Buffer.from(`é attached: \n${url}\n`.repeat(3)).toString('base64').replace(/.{76}/g, '$&\r\n');
  for (const text of [url, `${url}\r\n${url}`, url.replace('8025', '80=\r\n25'), base64]) {
    const message = Buffer.from(`Subject: x\r\n\r\n${text}\r\n--boundary--\r\n`);
    assert.deepEqual(linksIn(message, 'http://127.0.0.1:8025'), [url], text);
  }
  assert.deepEqual(linksIn(Buffer.from(`Subject: x\r\n\r\n${url}`), 'http://127.0.0.1:80'), []);
});
