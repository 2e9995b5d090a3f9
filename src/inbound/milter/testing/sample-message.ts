/** A message as a mail server says it to a Milter. */
import { say } from './mail-server.ts';

export const envelope = Buffer.concat([
  say.macros('M', { i: 'QUEUE1', '{auth_type}': 'PLAIN' }),
  say.mail('<a@example.com>', 'SIZE=100', 'BODY=8BITMIME'),
  say.rcpt('<b@example.org>', 'NOTIFY=NEVER'),
  say.rcpt('<c@example.org>'),
]);

export const message = Buffer.concat([
  envelope,
  say.header('From', ' a@example.com'),
  say.header('Subject', '   three blanks\n\tand a fold'),
  say.header('X-Raw', '\xe9 8-bit'),
  say.header('Empty', ''),
  say.endOfHeader(),
  say.body('first line\r\n'),
  say.endOfMessage('no line end'),
]);

/** What a filter is shown of it. */
export const shown = {
  header: 'From: a@example.com\r\nSubject:   three blanks\r\n\tand a fold\r\nX-Raw:\xe9 8-bit\r\nEmpty:\r\n',
  body: 'first line\r\nno line end',
  mail: '<a@example.com> SIZE=100 BODY=8BITMIME',
  rcpt: ['<b@example.org> NOTIFY=NEVER', '<c@example.org>'],
  macros: { i: 'QUEUE1' },
  client: 'mx.example 192.0.2.7:4711 client.example',
};
