import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contact, formatNextHop, nextHop } from './addresses.ts';

test('next hops are told as they are configured', () => {
  for (const text of ['b.example:25', '192.0.2.1:25', '[2001:db8::1]:25', 'unix:/run/b.sock'])
    assert.equal(formatNextHop(nextHop.parse(text)), text);
});

test('a host in brackets, as Postfix writes it, is that host', () => {
  assert.deepEqual(nextHop.parse('[mail-b.example.com]:25'), { kind: 'tcp', host: 'mail-b.example.com', port: 25 });
  assert.deepEqual(nextHop.parse('[192.0.2.1]:25'), { kind: 'tcp', host: '192.0.2.1', port: 25 });
  for (const wrong of ['[]:25', '[mail b]:25', '[mail]', '2001:db8::1:25']) assert.throws(() => nextHop.parse(wrong));
});

test('readers are sent to a mailbox or a web page, never to anything else', () => {
  for (const good of [
    'help@example.edu',
    'HELP.desk+files@example.edu',
    'https://example.edu/help?topic=files#top',
    'HTTP://[2001:db8::1]:8080/',
  ])
    assert.equal(contact.parse(good), good);
  for (const wrong of [
    'mailto:help@example.edu',
    'javascript:alert(1)@x',
    'javascript://x@y',
    'data:text/html,x@y',
    'file://x@y',
    'help@example.edu,other@example.edu',
    'help@example.edu/../x',
    'a#b@x.example',
    'a@-.',
    '(c)@x',
    'https://x"onclick="y',
    'https://good.example@evil.example/',
    'http://evil\\@good.example',
    'http://[',
  ])
    assert.throws(() => contact.parse(wrong), /must be a mail address or http\(s\) address/, wrong);
});
