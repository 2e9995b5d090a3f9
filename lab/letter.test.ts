import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simpleParser } from 'mailparser';
import { letter } from './letter.ts';

for (const name of [
  'Übersicht für März.pdf',
  '見積書 第2版.xlsx',
  `${'é'.repeat(120)}.zip`,
  'plain.bin',
  'a "b" \\ c.txt',
]) {
  test(`a letter keeps the subject and the file name ${name.slice(0, 30)}`, async () => {
    const content = Buffer.alloc(5000, 'x');
    const made = await letter({ from: 'alice@example.com', to: ['bob@example.org'], file: { name, content } });
    assert.doesNotMatch(made.message.toString('latin1'), /[^\r]\n|[\x80-\xff]/, 'CRLF, and ASCII alone');
    const { subject, attachments, messageId, from } = await simpleParser(made.message);
    assert.equal(subject, name);
    assert.equal(attachments[0]?.filename, name);
    assert.ok(attachments[0].content.equals(content));
    assert.equal(messageId, made.messageId);
    assert.equal(from?.value[0]?.name, 'Alice Example');
  });
}
